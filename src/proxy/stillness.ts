/**
 * Notices a thread that hangs by a number that it counts up as its event loop turns. Counted in looks, not in time:
 * when the whole process was stopped, one look follows it, and the thread goes on before the next.
 */
export class Stillness {
  readonly #maxLooks: number
  #last = Number.NaN
  #looks = 0

  constructor(maxLooks: number) {
    this.#maxLooks = maxLooks
  }

  /** True when the number has not changed for so many looks. */
  look(count: number): boolean {
    this.#looks = count === this.#last ? this.#looks + 1 : 0
    this.#last = count
    return this.#looks >= this.#maxLooks
  }

  /** Another thread counts, or none does for now. */
  restart(): void {
    this.#last = Number.NaN
    this.#looks = 0
  }
}
