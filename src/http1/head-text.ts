import { HTAB, latin1, SP } from './octets.ts'

/** Nearly every head is shorter. */
const windowBytes = 2_048

/**
 * Octets of a head as latin-1 text. The beginning is decoded once and cut from there, because a cut of a string costs
 * a tenth of what decoding octets does.
 */
export class HeadText {
  readonly #bytes: Buffer
  readonly #start: number
  readonly #windowEnd: number
  readonly #window: string

  /** What lies between `start` and `end` must not change while this is used. */
  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes
    this.#start = start
    this.#windowEnd = end - start > windowBytes ? start + windowBytes : end
    this.#window = latin1(bytes, start, this.#windowEnd)
  }

  slice(from: number, to: number): string {
    if (to > this.#windowEnd) return latin1(this.#bytes, from, to)
    return this.#window.slice(from - this.#start, to - this.#start)
  }

  /** Without SP and HTAB at both ends, RFC 9110 section 5.6.3. */
  trimmed(start: number, end: number): string {
    const bytes = this.#bytes
    let from = start
    let to = end
    while (from < to && (bytes[from] === SP || bytes[from] === HTAB)) from++
    while (to > from && (bytes[to - 1] === SP || bytes[to - 1] === HTAB)) to--
    return this.slice(from, to)
  }
}
