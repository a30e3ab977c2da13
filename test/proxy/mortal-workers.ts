import { BroadcastChannel } from 'node:worker_threads'

/** Options of a proxy whose workers can be killed. */
export const mortal = { workerFile: new URL('mortal-worker.ts', import.meta.url) }

/** Ends the worker of this index of every mortal proxy of this process; `hang` and its index lets it hang for ever. */
export function kill(worker: number | `hang ${number}`): void {
  const channel = new BroadcastChannel('kill-data-worker')
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel between threads, no window
  channel.postMessage(worker)
  channel.close()
}
