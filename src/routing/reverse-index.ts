const none: ReadonlySet<string> = new Set()

/** Who refers to what: a set of keys for each key, without empty sets. */
export class ReverseIndex {
  readonly #sets = new Map<string, Set<string>>()

  add(key: string, referrer: string): void {
    const set = this.#sets.get(key)
    if (set === undefined) this.#sets.set(key, new Set([referrer]))
    else set.add(referrer)
  }

  delete(key: string, referrer: string): void {
    const set = this.#sets.get(key)
    if (set?.delete(referrer) === true && set.size === 0) this.#sets.delete(key)
  }

  get(key: string): ReadonlySet<string> {
    return this.#sets.get(key) ?? none
  }

  has(key: string): boolean {
    return this.#sets.has(key)
  }

  keys(): IterableIterator<string> {
    return this.#sets.keys()
  }
}
