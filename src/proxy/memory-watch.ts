import type { Log } from '../observe/log.ts'

export interface MemoryOptions {
  /** Limit of the control group, in bytes; undefined without one. */
  readonly limitBytes: number | undefined
  /** What counts against it now, in bytes. */
  readonly usage: () => number
}

/** Of the limit: what is left must do for the requests in flight and for the kernel's buffers. */
const highShare = 0.85
/** Of the high-water mark: work is taken on again under it, so that it does not stop and go. */
const lowShare = 0.92

/** Tells when the process has more memory than it should, and when it has given enough back. */
export class MemoryWatch {
  readonly #memory: MemoryOptions
  readonly #log: Log
  #isOver = false
  #episodes = 0

  constructor(memory: MemoryOptions, log: Log) {
    this.#memory = memory
    this.#log = log
  }

  /** New work is refused. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** How often it went over the mark. */
  get episodes(): number {
    return this.#episodes
  }

  /** Measures; true when the state changed. `maxBytes` is the high-water mark, 0 for the limit's share. */
  check(maxBytes: number): boolean {
    const highBytes = maxBytes > 0 ? maxBytes : (this.#memory.limitBytes ?? Number.POSITIVE_INFINITY) * highShare
    if (highBytes === Number.POSITIVE_INFINITY && !this.#isOver) return false
    const bytes = this.#memory.usage()
    const isOver = bytes > (this.#isOver ? highBytes * lowShare : highBytes)
    if (isOver === this.#isOver) return false
    this.#isOver = isOver
    const fields = { bytes, highBytes: Math.round(highBytes), lowBytes: Math.round(highBytes * lowShare) }
    if (isOver) {
      this.#episodes++
      this.#log.warn(
        fields,
        'memory over its high-water mark, new requests get 503: raise the memory limit if it stays',
      )
    } else {
      this.#log.info(fields, 'memory under its low-water mark, requests are served again')
    }
    return true
  }
}
