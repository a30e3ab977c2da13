/** A connection that can be closed without harm while nothing is asked of it. */
export interface Idler {
  /** Since when, by the coarse clock; Infinity while it is not idle. */
  readonly idleSinceMs: number
}

/**
 * Up to `count` of those that have been idle longest, in that order. One pass, so that making room costs little even
 * with every connection that a worker may have.
 */
export function oldestIdle<T extends Idler>(connections: Iterable<T>, count: number): readonly T[] {
  const oldest: { readonly sinceMs: number; readonly connection: T }[] = []
  for (const connection of connections) {
    const sinceMs = connection.idleSinceMs
    if (sinceMs === Number.POSITIVE_INFINITY) continue
    if (oldest.length === count) {
      if (sinceMs >= (oldest.at(-1)?.sinceMs ?? 0)) continue
      oldest.pop()
    }
    let at = oldest.length
    while (at > 0 && (oldest[at - 1]?.sinceMs ?? 0) > sinceMs) at--
    oldest.splice(at, 0, { sinceMs, connection })
  }
  return oldest.map(({ connection }) => connection)
}
