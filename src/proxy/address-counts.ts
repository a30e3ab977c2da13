/**
 * Open connections by client address, for the limit per address. It has an entry for an address only while one is
 * open, so it is bounded by the limit of connections; it is asked at the begin and the end of a connection only.
 */
export class AddressCounts {
  readonly #counts = new Map<string, number>()

  /** Counts one more, or says false when there are `limit` already; 0 is no limit. Every true is owed a `release`. */
  admit(address: string, limit: number): boolean {
    const key = networkOf(address)
    const count = this.#counts.get(key) ?? 0
    if (limit > 0 && count >= limit) return false
    this.#counts.set(key, count + 1)
    return true
  }

  release(address: string): void {
    const key = networkOf(address)
    const count = this.#counts.get(key) ?? 0
    if (count > 1) this.#counts.set(key, count - 1)
    else this.#counts.delete(key)
  }

  /** Addresses with a connection. */
  get size(): number {
    return this.#counts.size
  }
}

/** A /64 is what one IPv6 subscriber has at least: counted by whole addresses, a limit would mean nothing. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [front = '', back] = address.split('::')
  const groups = front === '' ? [] : front.split(':')
  if (back !== undefined) {
    const after = back === '' ? 0 : back.split(':').length
    while (groups.length + after < 8) groups.push('0')
    // What follows the gap counts only where it begins before the fourth group.
    groups.push(...back.split(':'))
  }
  return groups.slice(0, 4).join(':')
}
