import type { Log } from '../observe/log.ts'
import type { Delta } from '../routing/model.ts'
import { HeapWatch } from './heap-watch.ts'
import { LogWriter } from './log-writer.ts'
import { type MemoryOptions, MemoryWatch } from './memory-watch.ts'
import { TableState } from './table-state.ts'
import { TicketKeys } from './ticket-keys.ts'
import { type CounterValues, WorkerCounters } from './worker-counters.ts'
import type { ForwardedPorts, HeldBackend, ProxyPorts, ToWorker, WorkerConfiguration } from './worker-protocol.ts'
import { WorkerSlot } from './worker-slot.ts'

export interface ProxyOptions {
  /** Where the listeners bind, as `0.0.0.0`, `::` or `127.0.0.1`. */
  readonly address: string
  /** 0 lets the first worker choose. */
  readonly httpPort: number
  readonly httpsPort: number
  /** Data workers, at least 1. */
  readonly workers: number
  readonly log: Log
  /** The worker's entry: `worker.js` beside the bundle, `worker.ts` in tests. */
  readonly workerFile: URL | string
  /** Ports that clients use, for X-Forwarded-Port; 80 and 443 when absent. */
  readonly forwardedPorts?: ForwardedPorts
  /** Endpoints on loopback addresses are served; only for processes of one's own machine. */
  readonly allowLoopbackEndpoints?: boolean
  /** 48 random octets that replicas share, so that a TLS session resumes at any of them; followed when it changes. */
  readonly ticketKeyFile?: string | undefined
  /** Where the access log goes; file descriptor 1 when absent. */
  readonly accessLogFd?: number
  /** What the process may have; without a limit, measured by its resident set, when absent. */
  readonly memory?: MemoryOptions
  /** How long a worker's event loop may stand still before the worker is replaced; 10 seconds when absent. */
  readonly hangMs?: number
}

/** How often the control thread looks after its workers and the memory. */
const lookMs = 500
const defaultHangMs = 10_000

export interface ProxyStats extends CounterValues {
  readonly workers: number
  readonly workersServing: number
  /** Workers that ended without being asked to. */
  readonly workersLost: number
  readonly servedRevision: number
  /** Whether memory is over its high-water mark, 0 or 1, and how often it went over. */
  readonly memoryIsOver: number
  readonly memoryEpisodes: number
}

interface DrainOptions {
  /** How long to go on accepting, with `Connection: close` on every answer, while others learn that we leave. */
  readonly lameDuckMs: number
  /** How long requests in flight may take after that. */
  readonly graceMs: number
}

export interface Proxy {
  /** Lets the workers load their code, so that `start` takes less time. */
  warm(): void
  /** Resolves when every worker listens. Rejects when the first one cannot. */
  start(): Promise<ProxyPorts>
  /** Resolves when every worker that serves, serves this revision; before `start` and after `close` at once. */
  publish(delta: Delta): Promise<void>
  /** The revision that every worker serves; 0 before the first. */
  readonly servedRevision: number
  /** What a worker holds in memory, asked of it. */
  backends(): Promise<readonly HeldBackend[]>
  stats(): ProxyStats
  /** Stops in order; resolves when every connection is gone. `cutConnections` had to be cut at the end of the grace. */
  drain(options: DrainOptions): Promise<{ readonly cutConnections: number }>
  /** Stops at once. */
  close(): Promise<void>
}

export function createProxy(options: ProxyOptions): Proxy {
  return new ControlledProxy(options)
}

/** The control thread's side: it keeps the whole table for workers to come, and looks after those there are. */
class ControlledProxy implements Proxy {
  readonly #options: ProxyOptions
  readonly #state = new TableState()
  readonly #slots: readonly WorkerSlot[]
  readonly #logWriter: LogWriter
  readonly #ticketKeys: TicketKeys
  #ports: ProxyPorts
  readonly #memory: MemoryWatch
  readonly #heap = new HeapWatch()
  #maxMemoryBytes = 0
  #watch: NodeJS.Timeout | undefined
  #started = false
  #closed = false
  #publishing: { readonly revision: number; readonly resolve: () => void }[] = []

  constructor(options: ProxyOptions) {
    this.#options = options
    this.#ports = { httpPort: options.httpPort, httpsPort: options.httpsPort }
    this.#logWriter = new LogWriter(options.accessLogFd ?? 1)
    const memory = options.memory ?? { limitBytes: undefined, usage: () => process.memoryUsage.rss() }
    this.#memory = new MemoryWatch(memory, options.log)
    this.#ticketKeys = new TicketKeys({
      file: options.ticketKeyFile,
      log: options.log,
      onChange: keys => this.#tellAll({ type: 'ticket-keys', keys }),
    })
    this.#slots = Array.from({ length: Math.max(1, options.workers) }, (_, index) => this.#createSlot(index))
  }

  warm(): void {
    for (const slot of this.#slots) slot.warm()
  }

  async start(): Promise<ProxyPorts> {
    this.#started = true
    const [first, ...others] = this.#slots
    if (first === undefined) throw new Error('a proxy needs at least one worker')
    await this.#ticketKeys.start()
    this.#ports = await first.start()
    await Promise.all(others.map(slot => slot.start()))
    this.#watch = setInterval(() => this.#look(), lookMs)
    return this.#ports
  }

  async publish(delta: Delta): Promise<void> {
    this.#state.apply(delta)
    if (delta.settings !== undefined) this.#maxMemoryBytes = delta.settings.limits.maxMemoryBytes
    if (!this.#started || this.#closed) return
    this.#tellAll({ type: 'delta', delta })
    await new Promise<void>(resolve => {
      this.#publishing.push({ revision: delta.revision, resolve })
      this.#settlePublished()
    })
  }

  get servedRevision(): number {
    const serving = this.#slots.filter(slot => slot.serving)
    return serving.length === 0 ? 0 : Math.min(...serving.map(slot => slot.revision))
  }

  async backends(): Promise<readonly HeldBackend[]> {
    const slot = this.#slots.find(one => one.serving)
    if (slot === undefined) throw new Error('no data worker serves')
    return slot.backends()
  }

  stats(): ProxyStats {
    return {
      ...WorkerCounters.sum(this.#slots.map(slot => slot.counters)),
      workers: this.#slots.length,
      workersServing: this.#slots.filter(slot => slot.serving).length,
      workersLost: this.#slots.reduce((sum, slot) => sum + slot.lost, 0),
      servedRevision: this.servedRevision,
      memoryIsOver: this.#memory.isOver ? 1 : 0,
      memoryEpisodes: this.#memory.episodes,
    }
  }

  async drain({ lameDuckMs, graceMs }: DrainOptions): Promise<{ readonly cutConnections: number }> {
    for (const slot of this.#slots) slot.beginDrain()
    await new Promise(resolve => {
      setTimeout(resolve, lameDuckMs)
    })
    const cut = await Promise.all(this.#slots.map(slot => slot.stop(graceMs)))
    await this.close()
    return { cutConnections: cut.reduce((sum, one) => sum + one, 0) }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#watch)
    this.#ticketKeys.stop()
    await Promise.all(this.#slots.map(slot => slot.close()))
    for (const { resolve } of this.#publishing.splice(0)) resolve()
    await this.#logWriter.flushed()
  }

  #tellAll(message: ToWorker): void {
    for (const slot of this.#slots) slot.send(message)
  }

  #createSlot(index: number): WorkerSlot {
    return new WorkerSlot({
      index,
      log: this.#options.log,
      workerFile: this.#options.workerFile,
      logWriter: this.#logWriter,
      configure: counters => this.#configure(index, counters),
      onChange: () => this.#settlePublished(),
      maxStillLooks: Math.max(2, Math.ceil((this.#options.hangMs ?? defaultHangMs) / lookMs)),
    })
  }

  #configure(index: number, counters: SharedArrayBuffer): WorkerConfiguration {
    return {
      index,
      address: this.#options.address,
      ...this.#ports,
      forwardedPorts: this.#options.forwardedPorts ?? { http: 80, https: 443 },
      allowLoopbackEndpoints: this.#options.allowLoopbackEndpoints ?? false,
      state: this.#state.full(),
      counters,
      memoryIsOver: this.#memory.isOver,
      ticketKeys: this.#ticketKeys.current,
    }
  }

  #look(): void {
    for (const slot of this.#slots) slot.look()
    const sum = (name: 'heapBytes' | 'heldBytes'): number =>
      this.#slots.reduce((total, slot) => total + slot.counters.value(name), 0)
    const workers = { heapBytes: sum('heapBytes'), heldBytes: sum('heldBytes') }
    if (!this.#memory.check(this.#maxMemoryBytes, workers)) return
    const { isOver } = this.#memory
    for (const slot of this.#slots) slot.send({ type: 'memory', isOver })
    if (isOver) this.#heap.collect()
  }

  /** A worker that is down serves nothing old, so it is not waited for; but one must serve. */
  #settlePublished(): void {
    const served = this.servedRevision
    const settled = this.#publishing.filter(({ revision }) => revision <= served)
    if (settled.length === 0) return
    this.#publishing = this.#publishing.filter(({ revision }) => revision > served)
    for (const { resolve } of settled) resolve()
  }
}
