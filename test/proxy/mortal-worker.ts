import { BroadcastChannel, workerData } from 'node:worker_threads'
import type { WorkerIdentity } from '../../src/proxy/worker-protocol.ts'

/** The real data worker, which ends by an uncaught error, or hangs for ever, when a test asks it to. */
const { index } = workerData as WorkerIdentity
const channel = new BroadcastChannel('kill-data-worker')
channel.addEventListener('message', event => {
  const { data } = event as { readonly data: unknown }
  if (data === `hang ${index}`) for (;;);
  if (data === index) {
    setImmediate(() => {
      throw new Error('killed by a test')
    })
  }
})
await import('../../src/proxy/worker.ts')
