import { write } from 'node:fs'

/** How long to wait before a full pipe is tried again. */
const retryMs = 50
/** Batches that wait; each worker has two under way at most, so this is never reached but by a mistake. */
const maxBatches = 1_024
/** At the end, how long to wait for a reader of stdout. */
const flushMs = 1_000

/**
 * Writes batches of the access log in turn, without ever holding the thread: one write is under way at a time, so a
 * stdout that nobody reads takes one thread of the pool and nothing else.
 */
export class LogWriter {
  readonly #fd: number
  readonly #queue: { readonly bytes: Buffer; readonly done: () => void }[] = []
  #writing = false
  #idle: (() => void)[] = []

  constructor(fd: number) {
    this.#fd = fd
  }

  /** `done` is called when the text is written, or given up because the descriptor is closed. */
  write(text: string, done: () => void): void {
    if (this.#queue.length >= maxBatches) return done()
    this.#queue.push({ bytes: Buffer.from(text, 'utf8'), done })
    if (!this.#writing) this.#next()
  }

  /** Resolves when all is written, or after a while. */
  async flushed(): Promise<void> {
    if (!this.#writing) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, flushMs)
      this.#idle.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #next(): void {
    const batch = this.#queue.shift()
    this.#writing = batch !== undefined
    if (batch === undefined) {
      for (const resolve of this.#idle.splice(0)) resolve()
      return
    }
    this.#writeFrom(batch.bytes, 0, () => {
      batch.done()
      this.#next()
    })
  }

  #writeFrom(bytes: Buffer, offset: number, done: () => void): void {
    write(this.#fd, bytes, offset, bytes.length - offset, null, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.#writeFrom(bytes, offset, done), retryMs).unref()
        return
      }
      if (error !== null || offset + written >= bytes.length) return done()
      this.#writeFrom(bytes, offset + written, done)
    })
  }
}
