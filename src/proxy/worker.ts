import { parentPort } from 'node:worker_threads'
import { DataWorker } from './data-worker.ts'
import type { ToWorker } from './worker-protocol.ts'

// The entry of a data worker's thread: `worker-slot.ts` starts it and talks to it by messages.
const port = parentPort
if (port === null) throw new Error('the data worker is started by the proxy, not by itself')

let worker: DataWorker | undefined
port.on('message', (message: ToWorker) => {
  if (message.type !== 'start') {
    worker?.receive(message)
    return
  }
  worker = new DataWorker(message.configuration, answer => port.postMessage(answer))
  // Why it cannot start is the thread's end.
  void worker.start()
})
