/**
 * Numbers that look random, from a seed, for spreading load and nothing else (xorshift, 32 bits). Unlike
 * `Math.random` behind a parameter it makes no object of its numbers.
 */
export class RandomNumbers {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0 || 1
  }

  /** From 0 to below `count`. */
  below(count: number): number {
    return Math.floor(((this.#next() >>> 0) * count) / 2 ** 32)
  }

  /** True in so many of 1 cases. */
  happens(share: number): boolean {
    return this.#next() >>> 0 < share * 2 ** 32
  }

  #next(): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state
    return state
  }
}
