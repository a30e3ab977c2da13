/** Octets of one read, until a read fills it: then a body is passing for which larger ones spare calls. */
export const sharedBytes = 16_384
const bulkBytes = 262_144
/** Bulk buffers of one thread: a slow reader holds what was not sent yet, so they are rationed. */
const maxBulk = 64

/** A buffer for large bodies: it is written on as it was read, without a copy, and comes back when that is done. */
export class BulkBuffer {
  readonly bytes = Buffer.allocUnsafeSlow(bulkBytes)
  /** Writes under way that read from it. */
  writes = 0
  /** A socket reads into it. */
  reading = true
}

/**
 * Where the sockets of one thread read into: one buffer for all of them, since what is read is consumed at once; and
 * larger ones, of which a connection borrows one while a large body passes.
 */
export class ReadBuffers {
  readonly shared = Buffer.allocUnsafeSlow(sharedBytes)
  /** The bulk buffer whose octets are being given out now. */
  current: BulkBuffer | undefined
  readonly #spare: BulkBuffer[] = []
  #made = 0
  #next: Buffer | undefined

  /** The socket whose read is being served reads into this one from now on. */
  setNext(bytes: Buffer): void {
    this.#next = bytes
  }

  /** Asked by Node after every read. */
  readonly takeNext = (): Buffer | undefined => {
    const next = this.#next
    this.#next = undefined
    return next
  }

  /** Undefined when all are lent. */
  borrow(): BulkBuffer | undefined {
    const spare = this.#spare.pop()
    if (spare !== undefined) {
      spare.reading = true
      return spare
    }
    if (this.#made === maxBulk) return undefined
    this.#made++
    return new BulkBuffer()
  }

  /** A write of its octets completed, or no socket reads into it any more. */
  giveBack(bulk: BulkBuffer): void {
    if (!bulk.reading && bulk.writes === 0) this.#spare.push(bulk)
  }
}
