import type { Backend } from '../routing/model.ts'
import { lookAtEndpoints } from '../routing/packed-backend.ts'
import { endpointKey } from './endpoint-pool.ts'

/** Endpoints remembered in one worker, about 1 MB; over it the backends that changed longest ago are forgotten. */
const mostRemembered = 10_000

/** Endpoint → when it joined, by the coarse clock. */
type Joins = ReadonlyMap<string, number>

const none: Joins = new Map()

/**
 * Which endpoints have joined backends that had no request yet: nothing else of those is looked at before their first
 * one, and by then it could not be told who is new.
 */
export class UnusedJoins {
  /** By backend, the one that changed last at the end. */
  readonly #joins = new Map<string, Joins>()
  #remembered = 0

  /** The backend, which had no request, has another version. Endpoints that join nobody are not new. */
  note(before: Backend, after: Backend, { nowMs, slowStartMs }: { nowMs: number; slowStartMs: number }): void {
    const known = this.take(after.id)
    const standing = new Set(lookAtEndpoints(before).map(endpointKey))
    if (standing.size === 0) return
    const joins = new Map<string, number>()
    for (const endpoint of lookAtEndpoints(after)) {
      const key = endpointKey(endpoint)
      const joinedMs = standing.has(key) ? known.get(key) : nowMs
      if (joinedMs !== undefined && nowMs < joinedMs + slowStartMs) joins.set(key, joinedMs)
    }
    if (joins.size > 0) this.#remember(after.id, joins)
  }

  /** What is known of a backend that has a request now, or is gone; it is known no longer. */
  take(id: string): Joins {
    const joins = this.#joins.get(id)
    if (joins === undefined) return none
    this.#joins.delete(id)
    this.#remembered -= joins.size
    return joins
  }

  clear(): void {
    this.#joins.clear()
    this.#remembered = 0
  }

  #remember(id: string, joins: Joins): void {
    this.#joins.set(id, joins)
    this.#remembered += joins.size
    for (const oldest of this.#joins.keys()) {
      if (this.#remembered <= mostRemembered) return
      this.take(oldest)
    }
  }
}
