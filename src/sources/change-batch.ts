import type { Change } from '../routing/snapshot.ts'

/**
 * Gives the first change on at once, when the code that noticed it has run to its end, and collects those that follow
 * in the same turn of the event loop: one change is routed without delay, a thousand as one.
 */
export class ChangeBatch {
  readonly #give: (changes: readonly Change[]) => void
  #pending: Change[] = []
  #gaveInThisTurn: NodeJS.Immediate | undefined
  #scheduled = false
  #closed = false

  constructor(give: (changes: readonly Change[]) => void) {
    this.#give = give
  }

  add(change: Change): void {
    this.#pending.push(change)
    if (this.#scheduled || this.#gaveInThisTurn !== undefined) return
    this.#scheduled = true
    queueMicrotask(() => this.#flush())
  }

  /** Drops what was not given on. */
  close(): void {
    this.#closed = true
    this.#pending = []
    clearImmediate(this.#gaveInThisTurn)
  }

  #flush(): void {
    this.#scheduled = false
    if (this.#closed || this.#pending.length === 0) return
    const changes = this.#pending
    this.#pending = []
    this.#gaveInThisTurn = setImmediate(() => {
      this.#gaveInThisTurn = undefined
      this.#flush()
    })
    this.#give(changes)
  }
}
