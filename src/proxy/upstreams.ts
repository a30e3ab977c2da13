import type { Algorithm } from '../api/load-balance.ts'
import type { ProxySettings } from '../api/settings.ts'
import type { Backend, Delta, Endpoint } from '../routing/model.ts'
import type { Balancer } from './balancers/balancer.ts'
import { Candidates } from './balancers/candidates.ts'
import { EndpointSet } from './balancers/endpoint-set.ts'
import { addToHash, emptyHash, mix } from './balancers/hash.ts'
import { balancers } from './balancers/index.ts'
import { noteFailedAfter, noteLatency } from './balancers/latency.ts'
import type { RandomNumbers } from './balancers/random-numbers.ts'
import type { CoarseClock } from './coarse-clock.ts'
import { EndpointGuard } from './endpoint-guard.ts'
import { EndpointPool } from './endpoint-pool.ts'
import { EndpointTokens, findToken } from './endpoint-tokens.ts'
import { hashRequest } from './request-hash.ts'
import type { BalancedRequest, RouteBalancing } from './route-balancing.ts'
import type { SessionAffinity } from './session-affinity.ts'
import type { UpstreamConnection } from './upstream-connection.ts'
import type { WorkerCounters } from './worker-counters.ts'

/**
 * What outlives a change of the table: connections and what balancers go by, by endpoint address, and each backend's
 * balancers, one for each algorithm that a route to it asks for. How a route chooses belongs to the route.
 *
 * Pools belong to addresses, because two Services may select the same pod. A pool lives as long as one backend of the
 * present table has its address; then its idle connections are closed at once and its busy ones after their request.
 * An address that comes back gets a new pool, so that nothing reaches another tenant's pod over an old connection.
 */

type Balancers = { [Name in Algorithm]?: Balancer }

interface BackendRuntime {
  readonly backend: Backend
  /** In the order of the backend's endpoints. */
  readonly pools: readonly EndpointPool[]
  readonly set: EndpointSet
  /** Those of the proxy's zone, with their indexes among all. */
  readonly near: { readonly set: EndpointSet; readonly indexes: readonly number[] } | undefined
  readonly balancers: Balancers
  /** False once another version of the backend is in the table: then its endpoints may be retired. */
  isCurrent: boolean
  /** Made when the first request with a session needs them. */
  tokens: EndpointTokens | undefined
}

export interface UpstreamsOptions {
  readonly clock: CoarseClock
  readonly counters: WorkerCounters
  readonly allowLoopbackEndpoints: boolean
  /** Where the balancers of this worker begin. */
  readonly seed: number
  /** Not the same in any two workers or replicas. */
  readonly random: RandomNumbers
  readonly settings: ProxySettings
}

/** A pod that ends refuses connections before its EndpointSlice says so; by then it does. */
const refusalMs = 1000

export class Upstreams {
  readonly #options: UpstreamsOptions
  readonly #guard: EndpointGuard
  readonly #pools = new Map<string, EndpointPool>()
  readonly #connections = new Set<UpstreamConnection>()
  readonly #balancers = new Map<string, Balancers>()
  readonly #current = new Map<string, Backend>()
  /** By the object, not the id: a request that began with an older table keeps its older endpoints. */
  readonly #runtimes = new WeakMap<Backend, BackendRuntime>()
  readonly #candidates: Candidates
  #settings: ProxySettings
  /** No endpoint is passed over after this time. */
  #refusalsEndMs = 0

  constructor(options: UpstreamsOptions) {
    this.#options = options
    this.#settings = options.settings
    this.#guard = new EndpointGuard({ allowLoopback: options.allowLoopbackEndpoints })
    this.#candidates = new Candidates(options.random)
    this.#candidates.slowStartMs = options.settings.loadBalance.slowStartMs
  }

  apply(delta: Delta): void {
    if (delta.settings !== undefined) {
      this.#settings = delta.settings
      this.#candidates.slowStartMs = delta.settings.loadBalance.slowStartMs
    }
    for (const [id, backend] of delta.backends) {
      const before = this.#current.get(id)
      // The new ones first: a pool that both have must not be retired in between.
      if (backend !== undefined) this.#enter(id, backend)
      if (before !== undefined) this.#leave(before)
      if (backend === undefined) {
        this.#current.delete(id)
        this.#balancers.delete(id)
      }
    }
  }

  /**
   * Index of the endpoint for the next attempt of this request, -1 when there is none. An endpoint that has left the
   * table since the request began is not chosen.
   */
  choose(backend: Backend, balancing: RouteBalancing, request: BalancedRequest): number {
    const runtime = this.#runtimes.get(backend)
    if (runtime === undefined) return -1
    const candidates = this.#candidates
    candidates.nowMs = this.#options.clock.nowMs
    const mayAvoid = !runtime.isCurrent || candidates.nowMs < this.#refusalsEndMs
    candidates.begin(runtime.set, request.tried, mayAvoid)
    const { affinity, hashBy } = balancing
    if (affinity !== undefined) {
      const index = this.#chooseBySession(runtime, affinity, request)
      if (index >= 0) return index
    }
    if (hashBy !== undefined) {
      candidates.hash = hashRequest(hashBy, request)
      candidates.subsetSize = balancing.subsetSize
    }
    // What is hashed goes to the same endpoint from every zone.
    if (candidates.hash >= 0) return candidates.pick(this.#balancer(runtime, 'consistent_hash'))
    const balancer = this.#balancer(runtime, balancing.algorithm)
    if (runtime.near === undefined) return candidates.pick(balancer)
    candidates.begin(runtime.near.set, request.tried, mayAvoid)
    const near = runtime.near.indexes[balancer.pick(candidates)]
    if (near !== undefined) return near
    candidates.begin(runtime.set, request.tried, mayAvoid)
    return candidates.pick(balancer)
  }

  /**
   * The endpoint that the request's cookie names, while it is there. When it is gone, one by the hash of the cookie, so
   * that requests that are under way at once all move to the same one. -1 when the request has no session.
   */
  #chooseBySession(runtime: BackendRuntime, affinity: SessionAffinity, { head }: BalancedRequest): number {
    const { cookie } = head
    if (cookie === '') return -1
    const candidates = this.#candidates
    const index = this.#tokens(runtime).find(cookie, affinity.cookieName)
    const isThere = index >= 0 && runtime.pools[index]?.retired === false
    if (isThere && (!affinity.changeOnFailure || candidates.isEligible(index))) return index
    const token = findToken(cookie, affinity.cookieName)
    if (token === '') return -1
    candidates.hash = mix(addToHash(emptyHash, token))
    return candidates.pick(this.#balancer(runtime, 'consistent_hash'))
  }

  /** The field line that keeps the client with this endpoint; empty when its cookie names it already. */
  sessionField(
    attempt: { backend: Backend; index: number },
    affinity: SessionAffinity,
    request: BalancedRequest,
  ): string {
    const runtime = this.#runtimes.get(attempt.backend)
    if (runtime === undefined) return ''
    const tokens = this.#tokens(runtime)
    if (tokens.find(request.head.cookie, affinity.cookieName) === attempt.index) return ''
    return affinity.setCookie(tokens.of(attempt.index), request, Date.parse(this.#options.clock.httpDate))
  }

  /** The endpoint did not take a connection: for a moment requests go to the others. */
  refused(backend: Backend, index: number): void {
    const pool = this.#runtimes.get(backend)?.pools[index]
    if (pool === undefined) return
    pool.refusedUntilMs = this.#options.clock.nowMs + refusalMs
    this.#refusalsEndMs = pool.refusedUntilMs
  }

  /**
   * Begins an attempt: a kept connection to the endpoint, or a new one when there is none or `fresh` is asked for.
   * `ended` follows, whatever happens.
   */
  connection(backend: Backend, index: number, fresh: boolean): UpstreamConnection | undefined {
    const pool = this.#runtimes.get(backend)?.pools[index]
    if (pool === undefined) return undefined
    pool.inFlight++
    return pool.take(this.#settings, fresh)
  }

  /** The attempt on this connection is over. */
  ended({ endpoint }: UpstreamConnection): void {
    endpoint.inFlight--
  }

  /** The head of the response has come, so long after the attempt began; only where latencies matter. */
  answered({ endpoint }: UpstreamConnection, afterMs: number): void {
    noteLatency(endpoint, afterMs, this.#options.clock.nowMs)
  }

  /** The attempt failed without an answer, so long after it began; only where latencies matter. */
  failed({ endpoint }: UpstreamConnection, afterMs: number): void {
    noteFailedAfter(endpoint, afterMs, this.#options.clock.nowMs)
  }

  /** Looks at every connection's deadlines. */
  sweep(): void {
    const now = this.#options.clock.nowMs
    for (const connection of this.#connections) connection.sweep(now)
  }

  backends(): Iterable<Backend> {
    return this.#current.values()
  }

  /** At the end of a drain. */
  closeIdle(): void {
    for (const pool of this.#pools.values()) pool.closeIdle()
  }

  #enter(id: string, backend: Backend): void {
    const before = this.#current.get(id)
    const isJoining = before !== undefined && before.endpoints.length > 0
    const joinedMs = isJoining ? Math.round(this.#options.clock.nowMs) : -1
    const pools = backend.endpoints.map(endpoint => this.#pool(endpoint, joinedMs))
    for (const pool of pools) pool.references++
    this.#runtimes.set(backend, {
      backend,
      pools,
      set: new EndpointSet(pools),
      near: nearOf(backend, pools),
      balancers: this.#balancersOf(id),
      isCurrent: true,
      tokens: undefined,
    })
    this.#current.set(id, backend)
  }

  #leave(backend: Backend): void {
    const runtime = this.#runtimes.get(backend)
    if (runtime === undefined) return
    runtime.isCurrent = false
    for (const pool of runtime.pools) {
      pool.references--
      if (pool.references > 0) continue
      this.#pools.delete(pool.key)
      pool.retire()
    }
  }

  #pool(endpoint: Endpoint, joinedMs: number): EndpointPool {
    const key = `${endpoint.address}:${endpoint.port}`
    let pool = this.#pools.get(key)
    if (pool === undefined) {
      pool = new EndpointPool(endpoint, {
        key,
        joinedMs,
        clock: this.#options.clock,
        counters: this.#options.counters,
        guard: this.#guard,
        connections: this.#connections,
      })
      this.#pools.set(key, pool)
    }
    return pool
  }

  #balancersOf(id: string): Balancers {
    let balancersOfBackend = this.#balancers.get(id)
    if (balancersOfBackend === undefined) {
      balancersOfBackend = {}
      this.#balancers.set(id, balancersOfBackend)
    }
    return balancersOfBackend
  }

  #balancer(runtime: BackendRuntime, algorithm: Algorithm): Balancer {
    runtime.balancers[algorithm] ??= balancers[algorithm](this.#options.seed)
    return runtime.balancers[algorithm]
  }

  #tokens(runtime: BackendRuntime): EndpointTokens {
    runtime.tokens ??= new EndpointTokens(runtime.backend)
    return runtime.tokens
  }
}

function nearOf({ near: indexes }: Backend, pools: readonly EndpointPool[]): BackendRuntime['near'] {
  if (indexes === undefined) return undefined
  return { set: new EndpointSet(indexes.map(index => pools[index]).filter(pool => pool !== undefined)), indexes }
}
