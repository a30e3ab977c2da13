import { type Clock, systemClock } from './clock.ts'
import { RetryAfter, TerminalError } from './retry.ts'

/** What just changed comes before what is only looked at again. */
export type Priority = 'fresh' | 'resync'

export interface WorkQueueOptions {
  /** Does the work of one key. It may ask to come again; what it throws is retried with backoff. */
  readonly process: (key: string, signal: AbortSignal) => Promise<{ readonly requeueAfterMs: number } | undefined>
  readonly concurrency: number
  /** Told of every failure; `retryInMs` is absent when there will be no retry. */
  readonly onError?: (key: string, error: unknown, retryInMs: number | undefined) => void
  readonly clock?: Clock
  readonly baseDelayMs?: number
  readonly maxDelayMs?: number
  /** Keys known at once; `add` throws beyond it. */
  readonly maxKeys?: number
}

interface Entry {
  waiting: Priority | undefined
  running: boolean
  failures: number
  later: { readonly dueMs: number; readonly priority: Priority; readonly cancel: () => void } | undefined
}

/**
 * Keys waiting for work: each once, each worked on by one worker at a time, and again when it was added meanwhile.
 *
 * The semantics are those of client-go's rate-limited work queue, with priorities as in controller-runtime.
 */
export class WorkQueue {
  readonly #options: Required<WorkQueueOptions>
  readonly #entries = new Map<string, Entry>()
  /** Insertion order is the order of service. */
  readonly #waiting: Record<Priority, Set<string>> = { fresh: new Set(), resync: new Set() }
  readonly #stopped = new AbortController()
  readonly #running = new Set<Promise<void>>()

  constructor(options: WorkQueueOptions) {
    this.#options = {
      onError: () => undefined,
      clock: systemClock,
      baseDelayMs: 5,
      maxDelayMs: 300_000,
      maxKeys: 100_000,
      ...options,
    }
  }

  /** Keys waiting for a worker, without those being worked on or due later. */
  get depth(): number {
    return this.#waiting.fresh.size + this.#waiting.resync.size
  }

  /** Keys waiting, running or due later. */
  get size(): number {
    return this.#entries.size
  }

  add(key: string, priority: Priority = 'fresh'): void {
    if (this.#stopped.signal.aborted) return
    this.#enqueue(this.#entry(key), key, priority)
    this.#startWorkers()
  }

  /** Adds the key later; the earliest of several such times counts, and a plain `add` does not change it. */
  addAfter(key: string, delayMs: number, priority: Priority = 'resync'): void {
    if (this.#stopped.signal.aborted) return
    this.#schedule(this.#entry(key), key, { delayMs, priority })
  }

  /** Takes no more work and resolves when what is being worked on has ended; workers are told by their signal. */
  async shutDown(): Promise<void> {
    this.#stopped.abort(new Error('the work queue was shut down'))
    for (const entry of this.#entries.values()) entry.later?.cancel()
    for (const waiting of Object.values(this.#waiting)) waiting.clear()
    await Promise.all(this.#running)
    this.#entries.clear()
  }

  #entry(key: string): Entry {
    const known = this.#entries.get(key)
    if (known) return known
    if (this.#entries.size >= this.#options.maxKeys) {
      throw new Error(`adding work: the queue holds its limit of ${this.#options.maxKeys} keys`)
    }
    const entry: Entry = { waiting: undefined, running: false, failures: 0, later: undefined }
    this.#entries.set(key, entry)
    return entry
  }

  #enqueue(entry: Entry, key: string, priority: Priority): void {
    if (entry.waiting === 'fresh' || entry.waiting === priority) return
    if (entry.waiting) this.#waiting[entry.waiting].delete(key)
    entry.waiting = priority
    if (!entry.running) this.#waiting[priority].add(key)
  }

  #schedule(entry: Entry, key: string, work: { readonly delayMs: number; readonly priority: Priority }): void {
    const { clock } = this.#options
    const { delayMs, priority } = work
    const dueMs = clock.monotonicMs() + delayMs
    if (entry.later && entry.later.dueMs <= dueMs) return
    entry.later?.cancel()
    const cancel = clock.after(delayMs, () => {
      entry.later = undefined
      this.#enqueue(entry, key, priority)
      this.#startWorkers()
    })
    entry.later = { dueMs, priority, cancel }
  }

  #startWorkers(): void {
    while (this.#running.size < this.#options.concurrency) {
      const key = this.#take()
      if (key === undefined) return
      const work: Promise<void> = this.#work(key).finally(() => {
        this.#running.delete(work)
        this.#startWorkers()
      })
      this.#running.add(work)
    }
  }

  #take(): string | undefined {
    for (const waiting of [this.#waiting.fresh, this.#waiting.resync]) {
      for (const key of waiting) {
        waiting.delete(key)
        return key
      }
    }
    return undefined
  }

  async #work(key: string): Promise<void> {
    const entry = this.#entry(key)
    entry.waiting = undefined
    entry.running = true
    try {
      // A worker that throws before its first await fails like any other.
      const outcome = await Promise.resolve().then(() => this.#options.process(key, this.#stopped.signal))
      entry.failures = 0
      if (outcome && !this.#stopped.signal.aborted) {
        this.#schedule(entry, key, { delayMs: outcome.requeueAfterMs, priority: 'resync' })
      }
    } catch (error) {
      this.#failed(entry, key, error)
    }
    this.#finish(entry, key)
  }

  #finish(entry: Entry, key: string): void {
    entry.running = false
    if (entry.waiting) this.#waiting[entry.waiting].add(key)
    else if (!entry.later) this.#entries.delete(key)
  }

  #failed(entry: Entry, key: string, error: unknown): void {
    if (this.#stopped.signal.aborted) return
    if (error instanceof TerminalError) {
      entry.failures = 0
      this.#options.onError(key, error, undefined)
      return
    }
    const { baseDelayMs, maxDelayMs } = this.#options
    const delayMs =
      error instanceof RetryAfter ? error.delayMs : Math.min(maxDelayMs, baseDelayMs * 2 ** entry.failures)
    entry.failures = Math.min(entry.failures + 1, 50)
    this.#schedule(entry, key, { delayMs, priority: 'fresh' })
    this.#options.onError(key, error, delayMs)
  }
}
