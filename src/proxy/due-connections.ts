/** Others are served between two turns. */
const intervalMs = 2

/**
 * Connections for which something is due, dealt with a few at a time: those of attackers who came together are due
 * together, and neither the clients of this worker nor the endpoints are to wait for all of them.
 */
export class DueConnections<T> {
  readonly #waiting = new Set<T>()
  readonly #deal: (connection: T) => void
  readonly #share: number
  readonly #turn = (): void => this.#takeTurn()

  /** `deal` must see for itself whether it is still due; of those that wait, this share is dealt with in each turn. */
  constructor(share: number, deal: (connection: T) => void) {
    this.#share = share
    this.#deal = deal
  }

  /** One that waits already keeps its place. */
  add(connection: T): void {
    if (this.#waiting.size === 0) setImmediate(this.#turn)
    this.#waiting.add(connection)
  }

  #takeTurn(): void {
    let left = Math.ceil(this.#waiting.size * this.#share)
    try {
      for (const connection of this.#waiting) {
        if (left-- === 0) break
        this.#waiting.delete(connection)
        this.#deal(connection)
      }
    } finally {
      if (this.#waiting.size > 0) setTimeout(this.#turn, intervalMs)
    }
  }
}
