import type { AvoidedEndpoints, PassiveHealth } from '../passive-health.ts'
import type { Balancer, EndpointState } from './balancer.ts'
import { EndpointSet } from './endpoint-set.ts'
import type { HashRing } from './hash-ring.ts'
import { decayedLatencyUs } from './latency.ts'
import type { RandomNumbers } from './random-numbers.ts'

/** Share of an endpoint that has just joined others; it grows evenly to 1. */
const initialShare = 0.1

/** Which endpoints are passed over. Each step is taken when the one before leaves none. */
const nobody = 0
const ejectedTriedOrRetired = 1
const triedOrRetired = 2
const retired = 3

/**
 * What balancers see of a backend while they choose. One object a worker, filled anew for each choice, so that
 * choosing allocates nothing; hot path.
 */
export class Candidates {
  /** 32 bits of what the request is hashed by; -1 when there is nothing. */
  hash = -1
  /** Number of endpoints that one hash leads to. */
  subsetSize = 1
  /** How long the share of an endpoint grows that joined others. */
  slowStartMs = 0
  /** By the coarse clock. */
  nowMs = 0
  /** What was found of the backend; undefined when no endpoint at all is ejected. */
  avoided: AvoidedEndpoints | undefined
  readonly #random: RandomNumbers
  readonly #health: Pick<PassiveHealth, 'isAvoided'>
  #set = new EndpointSet([])
  #endpoints: readonly EndpointState[] = []
  #tried: ReadonlySet<EndpointState> | undefined
  #passedOver = nobody
  #warming = false

  constructor(random: RandomNumbers, health: Pick<PassiveHealth, 'isAvoided'>) {
    this.#random = random
    this.#health = health
  }

  /**
   * Begins a choice, by no hash. `tried` is undefined before the request's first failure; `mayBeRetired` is false when
   * all endpoints of the set are those of the present table.
   */
  begin(set: EndpointSet, tried: ReadonlySet<EndpointState> | undefined, mayBeRetired: boolean): void {
    this.hash = -1
    this.subsetSize = 1
    this.#set = set
    this.#endpoints = set.endpoints
    this.#tried = tried
    const mayAvoid = mayBeRetired || tried !== undefined || this.avoided !== undefined
    this.#passedOver = mayAvoid ? ejectedTriedOrRetired : nobody
    this.#warming = this.slowStartMs > 0 && set.lastJoinedMs >= 0 && this.nowMs < set.lastJoinedMs + this.slowStartMs
  }

  /**
   * The balancer's choice; -1 when there is no endpoint. One that is ejected is better than one that was tried, and that
   * is better than none.
   */
  pick(balancer: Balancer): number {
    let index = balancer.pick(this)
    while (index < 0 && this.#passedOver !== nobody && this.#passedOver < retired) {
      this.#passedOver++
      index = balancer.pick(this)
    }
    return index
  }

  get count(): number {
    return this.#endpoints.length
  }

  get ring(): HashRing {
    return this.#set.ring
  }

  /** From 0 to below `count`. */
  randomIndex(count: number): number {
    return this.#random.below(count)
  }

  isEligible(index: number): boolean {
    return this.#passedOver === nobody || this.#isLeft(index)
  }

  /** False by chance, the more often the shorter ago the endpoint joined: then another one is asked first. */
  isWarm(index: number): boolean {
    return !this.#warming || this.#random.happens(this.#share(index))
  }

  inFlight(index: number): number {
    return this.#endpoints[index]?.inFlight ?? 0
  }

  /** As it fades with time; 0 when it is not known. */
  latencyUs(index: number): number {
    const endpoint = this.#endpoints[index]
    return endpoint === undefined ? 0 : decayedLatencyUs(endpoint, this.nowMs)
  }

  #isLeft(index: number): boolean {
    const endpoint = this.#endpoints[index]
    if (endpoint === undefined || endpoint.retired) return false
    if (this.#passedOver <= triedOrRetired && this.#tried?.has(endpoint) === true) return false
    const { avoided } = this
    return (
      this.#passedOver > ejectedTriedOrRetired || avoided === undefined || !this.#health.isAvoided(endpoint, avoided)
    )
  }

  #share(index: number): number {
    const joinedMs = this.#endpoints[index]?.joinedMs ?? -1
    if (joinedMs < 0) return 1
    return Math.max(initialShare, (this.nowMs - joinedMs) / this.slowStartMs)
  }
}
