import { Worker } from 'node:worker_threads'

/** What the prober's thread is given. Its notes are in memory that both threads share. */
export interface ProberConfiguration {
  readonly port: number
  readonly host: string
  /** Between the end of one probe and the next. */
  readonly pauseMs: number
  readonly notes: SharedArrayBuffer
}

/** Places in the notes, each of 64 bits. Times are nanoseconds of the monotonic clock, 0 while there is none. */
export const note = {
  /** Set by who asks: 1 stops the prober. */
  stop: 0,
  /** First letter of the body that is waited for. */
  awaited: 1,
  /** When the first answer with it came; reset by who asks. */
  firstAnswer: 2,
  /** When the newest answer of `a` and of `b` came. */
  lastA: 3,
  lastB: 4,
  probes: 5,
  /** Answers other than 200, and connections that broke. */
  failures: 6,
} as const

/** Sends one request after the other over one connection and notes who answered; in a thread of its own. */
export class Prober {
  readonly #worker: Worker
  readonly #notes = new SharedArrayBuffer(64)
  readonly #view = new BigInt64Array(this.#notes)

  constructor(port: number, host: string, pauseMs = 0.4) {
    const workerData: ProberConfiguration = { port, host, pauseMs, notes: this.#notes }
    this.#worker = new Worker(new URL('./prober-thread.ts', import.meta.url), { workerData })
  }

  read(place: (typeof note)[keyof typeof note]): bigint {
    return Atomics.load(this.#view, place)
  }

  /** From now on the first answer that begins with this letter is noted. */
  await(letter: string): void {
    Atomics.store(this.#view, note.firstAnswer, 0n)
    Atomics.store(this.#view, note.awaited, BigInt(letter.charCodeAt(0)))
  }

  async stop(): Promise<void> {
    Atomics.store(this.#view, note.stop, 1n)
    await this.#worker.terminate()
  }
}
