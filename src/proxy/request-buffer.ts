/**
 * The body of one request, or its beginning, as it is held in memory.
 *
 * - Before a connection is ready, what the client has sent waits here.
 * - Where requests are buffered, all of it waits here before an endpoint is asked, unless it is longer than the limit.
 * - What may have to be sent again stays here until a response begins, unless it is longer than the limit.
 *
 * All buffers of a worker share one bound: beyond it bodies are passed on as they come.
 */
export class RequestBuffer {
  /** Pieces in order; each is a copy, because what was read is valid during the call only. */
  pieces: readonly Buffer[] = noPieces
  readonly #budget: BodyBudget
  readonly #maxBytes: number
  readonly #waits: boolean
  #bytes = 0
  /** More came than is held for longer than until it can be sent. */
  #overflowed: boolean
  #isWhole = true

  constructor(budget: BodyBudget, options: { readonly maxBytes: number; readonly waits: boolean }) {
    this.#budget = budget
    this.#maxBytes = options.maxBytes
    this.#waits = options.waits
    this.#overflowed = options.maxBytes === 0
  }

  /** No endpoint should be asked yet. */
  get waits(): boolean {
    return this.#waits && !this.#overflowed
  }

  /** All of the body that has come is here. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Takes a piece that cannot be sent yet. The caller must not go on reading unless the buffer `waits`. */
  hold(bytes: Buffer, start = 0, end = bytes.length): void {
    this.#overflowed ||= !this.#fits(end - start)
    this.#add(bytes, start, end)
  }

  /** A piece that was sent, in case that it must be sent again. */
  retain(bytes: Buffer, start = 0, end = bytes.length): void {
    if (!this.#isWhole) return
    if (this.#overflowed || !this.#fits(end - start)) this.release()
    else this.#add(bytes, start, end)
  }

  /** All pieces were sent. */
  sent(): void {
    if (this.#overflowed) this.release()
  }

  release(): void {
    this.#budget.give(this.#bytes)
    this.pieces = noPieces
    this.#bytes = 0
    this.#isWhole = false
  }

  #fits(bytes: number): boolean {
    return this.#bytes + bytes <= this.#maxBytes && this.#budget.has(bytes)
  }

  #add(bytes: Buffer, start: number, end: number): void {
    this.#budget.take(end - start)
    this.#bytes += end - start
    const pieces = this.pieces === noPieces ? [] : (this.pieces as Buffer[])
    pieces.push(Buffer.from(bytes.subarray(start, end)))
    this.pieces = pieces
  }
}

const noPieces: readonly Buffer[] = []

/** Octets of request bodies that one worker holds. */
export class BodyBudget {
  readonly #maxBytes: number
  #taken = 0

  constructor(maxBytes = 64 * 1024 * 1024) {
    this.#maxBytes = maxBytes
  }

  has(bytes: number): boolean {
    return this.#taken + bytes <= this.#maxBytes
  }

  take(bytes: number): void {
    this.#taken += bytes
  }

  give(bytes: number): void {
    this.#taken -= bytes
  }
}

/** A body of an idempotent request up to this length is kept until the response begins, so that it can be sent again. */
export const replayBytes = 65_536
