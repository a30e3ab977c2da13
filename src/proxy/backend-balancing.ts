import type { Algorithm } from '../api/load-balance.ts'
import type { Backend } from '../routing/model.ts'
import type { Balancer, EndpointState } from './balancers/balancer.ts'
import type { Candidates } from './balancers/candidates.ts'
import { EndpointSet } from './balancers/endpoint-set.ts'
import { addToHash, emptyHash, mix } from './balancers/hash.ts'
import { balancers } from './balancers/index.ts'
import { EndpointTokens, findToken } from './endpoint-tokens.ts'
import { AvoidedEndpoints, type PassiveHealth } from './passive-health.ts'
import { hashRequest } from './request-hash.ts'
import type { BalancedRequest, RouteBalancing } from './route-balancing.ts'
import type { SessionAffinity } from './session-affinity.ts'

/** What the backends of one worker share. */
export interface BalancingContext {
  readonly candidates: Candidates
  readonly health: PassiveHealth
  /** Where turns begin. */
  readonly seed: number
}

/**
 * How requests are shared among the endpoints of one version of a backend. The balancers, one for each algorithm that
 * a route to it asks for, go on from version to version; how a route chooses belongs to the route. Hot path.
 */
export class BackendBalancing {
  /** False once another version of the backend is in the table: then its endpoints may be retired. */
  isCurrent = true
  readonly #context: BalancingContext
  readonly #backend: Backend
  readonly #set: EndpointSet
  /** Those of the proxy's zone, and their indexes among all. */
  readonly #nearSet: EndpointSet | undefined
  readonly #near: readonly number[]
  readonly #avoided = new AvoidedEndpoints()
  readonly #balancers: { [Name in Algorithm]?: Balancer }
  /** Made when the first request with a session needs them. */
  #tokens: EndpointTokens | undefined
  /** Of a version before, until then. */
  #tokensBefore: EndpointTokens | undefined

  /** `endpoints` are in the order of those of the backend. */
  constructor(
    backend: Backend,
    endpoints: readonly EndpointState[],
    { before, ...context }: BalancingContext & { readonly before: BackendBalancing | undefined },
  ) {
    this.#context = context
    this.#backend = backend
    this.#set = new EndpointSet(endpoints)
    this.#near = backend.near ?? []
    this.#nearSet = backend.near === undefined ? undefined : new EndpointSet(chosen(endpoints, backend.near))
    this.#balancers = before === undefined ? {} : before.#balancers
    this.#tokensBefore = before === undefined ? undefined : (before.#tokens ?? before.#tokensBefore)
  }

  /**
   * Index of the endpoint for the next attempt of this request, -1 when there is none.
   */
  choose(balancing: RouteBalancing, request: BalancedRequest): number {
    const { candidates } = this.#context
    const mayBeRetired = !this.isCurrent
    candidates.avoided = this.#look()
    candidates.begin(this.#set, request.tried, mayBeRetired)
    const { affinity, hashBy } = balancing
    if (affinity !== undefined) {
      const index = this.#chooseBySession(affinity, request)
      if (index >= 0) return index
    }
    if (hashBy !== undefined) {
      candidates.hash = hashRequest(hashBy, request)
      candidates.subsetSize = balancing.subsetSize
    }
    // What is hashed goes to the same endpoint from every zone.
    if (candidates.hash >= 0) return candidates.pick(this.#balancer('consistent_hash'))
    const balancer = this.#balancer(balancing.algorithm)
    if (this.#nearSet !== undefined) {
      candidates.begin(this.#nearSet, request.tried, mayBeRetired)
      const near = this.#near[balancer.pick(candidates)]
      if (near !== undefined) return near
      candidates.begin(this.#set, request.tried, mayBeRetired)
    }
    return candidates.pick(balancer)
  }

  /** The token that a client must be given to stay with this endpoint; empty when its Cookie field has it already. */
  sessionToken(index: number, cookie: string, { cookieName }: SessionAffinity): string {
    const tokens = this.#sessionTokens()
    return tokens.find(cookie, cookieName) === index ? '' : tokens.of(index)
  }

  /**
   * The endpoint that the request's cookie names, while it is there. When it is gone, one by the hash of the cookie, so
   * that requests that are under way at once all move to the same one. -1 when the request has no session.
   */
  #chooseBySession(affinity: SessionAffinity, { head: { cookie } }: BalancedRequest): number {
    if (cookie === '') return -1
    const { candidates } = this.#context
    const index = this.#sessionTokens().find(cookie, affinity.cookieName)
    const isThere = index >= 0 && this.#set.endpoints[index]?.retired === false
    if (isThere && (!affinity.changeOnFailure || candidates.isEligible(index))) return index
    const token = findToken(cookie, affinity.cookieName)
    if (token === '') return -1
    candidates.hash = mix(addToHash(emptyHash, token))
    return candidates.pick(this.#balancer('consistent_hash'))
  }

  #look(): AvoidedEndpoints | undefined {
    const { health } = this.#context
    if (!health.anyEjected) return undefined
    health.look(this.#set.endpoints, this.#avoided)
    return this.#avoided
  }

  #balancer(algorithm: Algorithm): Balancer {
    this.#balancers[algorithm] ??= balancers[algorithm](this.#context.seed)
    return this.#balancers[algorithm]
  }

  #sessionTokens(): EndpointTokens {
    if (this.#tokens === undefined) {
      this.#tokens = new EndpointTokens(this.#backend, this.#tokensBefore)
      this.#tokensBefore = undefined
    }
    return this.#tokens
  }
}

function chosen(endpoints: readonly EndpointState[], indexes: readonly number[]): readonly EndpointState[] {
  return indexes.map(index => endpoints[index]).filter(endpoint => endpoint !== undefined)
}
