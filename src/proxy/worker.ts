import { parentPort, workerData } from 'node:worker_threads'
import { DataWorker } from './data-worker.ts'
import type { ToWorker, WorkerConfiguration } from './worker-protocol.ts'

// The entry of a data worker's thread: `proxy.ts` starts it with a WorkerConfiguration and talks to it by messages.
const port = parentPort
if (port === null) throw new Error('the data worker is started by the proxy, not by itself')

const worker = new DataWorker(workerData as WorkerConfiguration, message => port.postMessage(message))
port.on('message', (message: ToWorker) => worker.receive(message))
await worker.start()
