import { randomFillSync } from 'node:crypto'

const idBytes = 16
const idsPerFill = 256
const validClientId = /^[\w.\-+/=:]{1,128}$/

/** X-Request-ID values: 32 hexadecimal digits each, from random bytes drawn many at a time. */
export class RequestIds {
  readonly #random = Buffer.alloc(idBytes * idsPerFill)
  #offset = this.#random.length

  next(): string {
    if (this.#offset === this.#random.length) {
      randomFillSync(this.#random)
      this.#offset = 0
    }
    const start = this.#offset
    this.#offset = start + idBytes
    return this.#random.toString('hex', start, this.#offset)
  }

  /** The client's own id when it is a short token that can go to a log as it is, else a new one. */
  of(fromClient: string): string {
    return fromClient !== '' && validClientId.test(fromClient) ? fromClient : this.next()
  }
}
