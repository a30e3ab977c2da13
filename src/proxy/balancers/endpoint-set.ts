import type { EndpointState } from './balancer.ts'
import { HashRing } from './hash-ring.ts'

/** The endpoints of one version of a backend, and what is made of all of them when a balancer first asks. */
export class EndpointSet {
  readonly endpoints: readonly EndpointState[]
  /** When the last of them joined others, by the coarse clock; -1 when none did. */
  readonly lastJoinedMs: number
  #ring: HashRing | undefined

  constructor(endpoints: readonly EndpointState[]) {
    this.endpoints = endpoints
    let last = -1
    for (const { joinedMs } of endpoints) if (joinedMs > last) last = joinedMs
    this.lastJoinedMs = last
  }

  get ring(): HashRing {
    this.#ring ??= new HashRing(this.endpoints)
    return this.#ring
  }
}
