import { Worker } from 'node:worker_threads'
import type { Log } from '../observe/log.ts'
import { workerHeapLimits } from './heap.ts'
import type { LogWriter } from './log-writer.ts'
import { RestartBackoff } from './restart-backoff.ts'
import { Stillness } from './stillness.ts'
import { WorkerCounters } from './worker-counters.ts'
import {
  type FromWorker,
  type HeldBackend,
  type ProxyPorts,
  type ToWorker,
  type WorkerConfiguration,
  type WorkerIdentity,
  workerEvents,
} from './worker-protocol.ts'

const answerMs = 2_000
/** After the grace of a drain: what a worker may need to close its listeners and write its access log, and some more. */
const stopMarginMs = 4_000
/** A thread that hangs in native code cannot be ended: it is not waited for. */
const terminateMs = 2_000

export interface WorkerSlotOptions {
  readonly index: number
  readonly log: Log
  readonly workerFile: URL | string
  readonly logWriter: LogWriter
  /** What a worker that starts now is given. */
  readonly configure: (counters: SharedArrayBuffer) => WorkerConfiguration
  /** The revision or the worker itself changed. */
  readonly onChange: () => void
  /** A worker whose clock has not ticked for so many looks hangs: it is ended and replaced. */
  readonly maxStillLooks: number
}

/** The place of one data worker: whoever fills it, its numbers go on. */
export class WorkerSlot {
  readonly counters = new WorkerCounters()
  readonly #options: WorkerSlotOptions
  #worker: Worker | undefined
  #started = false
  #serving = false
  #revision = 0
  #lost = 0
  readonly #backoff = new RestartBackoff()
  readonly #stillness: Stillness
  /** Undefined while the present worker has not listened. */
  #servingSinceMs: number | undefined
  #restart: NodeJS.Timeout | undefined
  #closing = false
  #draining = false
  /** Its clock stands still, as it should. */
  #stopped = false
  #requests = 0
  readonly #asked = new Map<number, (backends: readonly HeldBackend[]) => void>()
  #onListening: ((ports: ProxyPorts) => void) | undefined
  #onStopped: ((cut: number) => void) | undefined
  #onEarlyExit: ((error: Error) => void) | undefined
  #lastError: unknown

  constructor(options: WorkerSlotOptions) {
    this.#options = options
    this.#stillness = new Stillness(options.maxStillLooks)
  }

  /** Starts the thread, which waits for its configuration. */
  warm(): void {
    this.#worker ??= this.#createWorker()
  }

  /** Resolves when the worker listens; rejects when it ends before. */
  async start(): Promise<ProxyPorts> {
    this.#started = true
    return new Promise<ProxyPorts>((resolve, reject) => {
      this.#onListening = resolve
      this.#onEarlyExit = reject
      this.#spawn()
    })
  }

  /** A worker that is not there needs no message: its successor is given the whole table. */
  send(message: ToWorker): void {
    if (this.#worker !== undefined) this.#tell(this.#worker, message)
  }

  /** It listens, with a table. */
  get serving(): boolean {
    return this.#serving
  }

  get revision(): number {
    return this.#revision
  }

  get lost(): number {
    return this.#lost
  }

  async backends(): Promise<readonly HeldBackend[]> {
    const request = ++this.#requests
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#asked.delete(request)
        reject(new Error(`data worker ${this.#options.index} did not list its backends within ${answerMs} ms`))
      }, answerMs)
      this.#asked.set(request, backends => {
        clearTimeout(timer)
        resolve(backends)
      })
      this.send({ type: 'list-backends', request })
    })
  }

  /** From now on a worker that is lost is not replaced. */
  beginDrain(): void {
    this.#draining = true
    clearTimeout(this.#restart)
    this.send({ type: 'lame-duck' })
  }

  /** To be called now and then: ends the worker when it hangs; its exit has it replaced. */
  look(): void {
    const worker = this.#worker
    if (
      worker === undefined ||
      !this.#serving ||
      this.#stopped ||
      !this.#stillness.look(this.counters.value('clockTicks'))
    )
      return
    this.#lastError = new Error('its event loop did not turn any more')
    this.#stillness.restart()
    void this.#end(worker)
  }

  /** Resolves with the number of connections that had to be cut; a worker that hangs is not waited for. */
  async stop(graceMs: number): Promise<number> {
    if (this.#worker === undefined || !this.#started) return 0
    return new Promise(resolve => {
      const timer = setTimeout(() => this.#onStopped?.(this.counters.value('connectionsOpen')), graceMs + stopMarginMs)
      this.#onStopped = cut => {
        clearTimeout(timer)
        this.#onStopped = undefined
        resolve(cut)
      }
      this.send({ type: 'stop', graceMs })
    })
  }

  async close(): Promise<void> {
    this.#closing = true
    clearTimeout(this.#restart)
    const worker = this.#worker
    this.#worker = undefined
    this.#serving = false
    if (worker !== undefined) await this.#terminate(worker)
    this.counters.resetGauges()
  }

  /** Its exit is what counts; one that never comes is taken for granted. */
  async #end(worker: Worker): Promise<void> {
    if (await this.#terminate(worker)) return
    this.#options.log.error({ worker: this.#options.index }, 'data worker hangs and could not be ended')
    this.#onExit(worker, 1)
  }

  /** False when it does not end in time. */
  async #terminate(worker: Worker): Promise<boolean> {
    return new Promise(resolve => {
      const timer = setTimeout(() => resolve(false), terminateMs)
      void worker.terminate().then(() => {
        clearTimeout(timer)
        resolve(true)
      })
    })
  }

  #tell(worker: Worker, message: ToWorker): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows, this is a thread
    worker.postMessage(message)
  }

  #spawn(): void {
    this.warm()
    this.send({ type: 'start', configuration: this.#options.configure(this.counters.memory) })
  }

  #createWorker(): Worker {
    const { workerFile, index } = this.#options
    const worker = new Worker(workerFile, {
      workerData: { index } satisfies WorkerIdentity,
      name: `data worker ${index}`,
      // What the control thread was given on its command line is not the worker's business.
      argv: [],
      resourceLimits: workerHeapLimits(),
    })
    worker.on('message', (message: FromWorker) => this.#receive(worker, message))
    worker.on('error', error => {
      this.#lastError = error
    })
    worker.on('exit', code => this.#onExit(worker, code))
    return worker
  }

  #receive(worker: Worker, message: FromWorker): void {
    if (worker !== this.#worker) return
    switch (message.type) {
      case 'listening':
        this.#serving = true
        this.#servingSinceMs = performance.now()
        this.#onListening?.({ httpPort: message.httpPort, httpsPort: message.httpsPort })
        this.#onListening = undefined
        this.#onEarlyExit = undefined
        this.#options.onChange()
        break
      case 'serving':
        this.#revision = message.revision
        this.#options.onChange()
        break
      case 'log':
        this.#options.logWriter.write(message.text, () => this.#tell(worker, { type: 'log-written' }))
        break
      case 'backends':
        this.#asked.get(message.request)?.(message.backends)
        this.#asked.delete(message.request)
        break
      case 'stopped':
        this.#stopped = true
        this.#onStopped?.(message.destroyed)
        break
      case 'event':
        this.#options.log.warn({ worker: this.#options.index, ...message.fields }, workerEvents[message.event])
        break
    }
  }

  #onExit(worker: Worker, code: number): void {
    if (worker !== this.#worker) return
    this.#worker = undefined
    this.#serving = false
    this.#stillness.restart()
    const cut = this.counters.value('connectionsOpen')
    if (!this.#closing) this.counters.loseRequests()
    this.counters.resetGauges()
    // One that ended before it was asked for anything is made anew then.
    if (this.#closing || !this.#started) return
    this.#lost++
    const { log, index } = this.#options
    const error = this.#lastError instanceof Error ? (this.#lastError.stack ?? this.#lastError.message) : ''
    this.#lastError = undefined
    this.#onStopped?.(cut)
    if (this.#onEarlyExit !== undefined) {
      this.#onEarlyExit(
        new Error(`data worker ${index} ended before it listened: ${error === '' ? `code ${code}` : error}`),
      )
      this.#onEarlyExit = undefined
      this.#onListening = undefined
      return
    }
    const servedMs = this.#servingSinceMs === undefined ? 0 : performance.now() - this.#servingSinceMs
    this.#servingSinceMs = undefined
    const delayMs = this.#draining ? -1 : this.#backoff.lost(servedMs)
    log.error({ worker: index, code, error, restartInMs: delayMs }, 'data worker lost')
    if (delayMs >= 0) this.#restart = setTimeout(() => this.#spawn(), delayMs)
    this.#options.onChange()
  }
}
