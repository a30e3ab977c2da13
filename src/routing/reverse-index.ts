const none: readonly string[] = []

/** Who refers to what: a set of keys for each key. Most have one referrer, which is kept without a set. */
export class ReverseIndex {
  readonly #referrers = new Map<string, string | Set<string>>()

  add(key: string, referrer: string): void {
    const known = this.#referrers.get(key)
    if (known === undefined) this.#referrers.set(key, referrer)
    else if (typeof known !== 'string') known.add(referrer)
    else if (known !== referrer) this.#referrers.set(key, new Set([known, referrer]))
  }

  delete(key: string, referrer: string): void {
    const known = this.#referrers.get(key)
    if (known === referrer) this.#referrers.delete(key)
    else if (known !== undefined && typeof known !== 'string' && known.delete(referrer) && known.size === 0) {
      this.#referrers.delete(key)
    }
  }

  get(key: string): Iterable<string> {
    const known = this.#referrers.get(key)
    if (known === undefined) return none
    return typeof known === 'string' ? [known] : known
  }

  has(key: string): boolean {
    return this.#referrers.has(key)
  }

  keys(): IterableIterator<string> {
    return this.#referrers.keys()
  }
}
