/**
 * Where WebSocket frames begin and end (RFC 6455 section 5.2), of one direction of a tunnel. Only headers are looked
 * at, and nothing is judged: a proxy that does not speak passes whatever comes.
 */

const OPCODE_CLOSE = 0x8
const FINAL_CLOSE = 0x88
const MASKED = 0x80
const LENGTH_OF_16_BITS = 126
const LENGTH_OF_64_BITS = 127

export class FrameTracker {
  /** A Close frame has begun. */
  closeSeen = false
  #headerRead = 0
  #headerBytes = 2
  /** Offset after the length in the header. */
  #lengthEnd = 2
  #opcode = 0
  #length = 0
  #payloadLeft = 0

  /** Between two frames: here one may be put in, also between fragments of a message when it is a control frame. */
  get atBoundary(): boolean {
    return this.#headerRead === 0 && this.#payloadLeft === 0
  }

  /** Follows all octets of `start` … `end`. */
  follow(bytes: Uint8Array, start: number, end: number): void {
    let at = start
    while (at < end) at = this.#step(bytes, at, end)
  }

  /** The same up to the next boundary: its offset, or `end` when there is none. */
  followToBoundary(bytes: Uint8Array, start: number, end: number): number {
    let at = start
    while (at < end && !this.atBoundary) at = this.#step(bytes, at, end)
    return at
  }

  #step(bytes: Uint8Array, at: number, end: number): number {
    if (this.#payloadLeft > 0) {
      const skipped = Math.min(this.#payloadLeft, end - at)
      this.#payloadLeft -= skipped
      return at + skipped
    }
    this.#readHeader(bytes[at] ?? 0)
    return at + 1
  }

  #readHeader(octet: number): void {
    const position = this.#headerRead++
    if (position === 0) {
      this.#opcode = octet & 0xf
    } else if (position === 1) {
      const short = octet & 0x7f
      this.#lengthEnd = short === LENGTH_OF_16_BITS ? 4 : short === LENGTH_OF_64_BITS ? 10 : 2
      this.#headerBytes = this.#lengthEnd + ((octet & MASKED) === 0 ? 0 : 4)
      this.#length = this.#lengthEnd === 2 ? short : 0
    } else if (position < this.#lengthEnd) {
      this.#length = this.#length * 256 + octet
    }
    if (position === 0 || this.#headerRead < this.#headerBytes) return
    this.#headerRead = 0
    this.#payloadLeft = this.#length
    if (this.#opcode === OPCODE_CLOSE) this.closeSeen = true
  }
}

/** A Close frame with a status, as a server sends it; with a mask of four octets, as a client does. */
export function closeFrame(status: number, mask?: Uint8Array): Uint8Array {
  const payload = [status >> 8, status & 0xff]
  if (mask === undefined) return Uint8Array.of(FINAL_CLOSE, payload.length, ...payload)
  const masked = payload.map((octet, index) => octet ^ (mask[index] ?? 0))
  return Uint8Array.of(FINAL_CLOSE, MASKED | payload.length, ...mask, ...masked)
}
