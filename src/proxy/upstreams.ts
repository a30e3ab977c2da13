import type { ProxySettings } from '../api/settings.ts'
import type { Backend, Delta, Endpoint } from '../routing/model.ts'
import { BackendBalancing, type BalancingContext } from './backend-balancing.ts'
import { Candidates } from './balancers/candidates.ts'
import { noteFailedAfter, noteLatency } from './balancers/latency.ts'
import type { RandomNumbers } from './balancers/random-numbers.ts'
import type { CoarseClock } from './coarse-clock.ts'
import { EndpointGuard } from './endpoint-guard.ts'
import { EndpointPool, endpointKey } from './endpoint-pool.ts'
import { PassiveHealth } from './passive-health.ts'
import type { BalancedRequest, RouteBalancing } from './route-balancing.ts'
import type { TransportSupport } from './transport.ts'
import { UnusedJoins } from './unused-joins.ts'
import type { UpstreamConnection } from './upstream-connection.ts'
import type { WorkerCounters } from './worker-counters.ts'

/**
 * What outlives a change of the table: connections and what balancers go by, by endpoint address, and each backend's
 * balancers.
 *
 * Pools belong to addresses, because two Services may select the same pod. A pool lives as long as one backend of the
 * present table has its address; then its idle connections are closed at once and its busy ones after their request.
 * An address that comes back gets a new pool, so that nothing reaches another tenant's pod over an old connection.
 */

interface BackendRuntime {
  /** In the order of the backend's endpoints. */
  readonly pools: readonly EndpointPool[]
  readonly balancing: BackendBalancing
}

export interface UpstreamsOptions {
  readonly clock: CoarseClock
  readonly counters: WorkerCounters
  readonly transports: TransportSupport
  readonly allowLoopbackEndpoints: boolean
  /** Where the balancers of this worker begin. */
  readonly seed: number
  /** Not the same in any two workers or replicas. */
  readonly random: RandomNumbers
  readonly settings: ProxySettings
}

export class Upstreams {
  readonly #options: UpstreamsOptions
  readonly #guard: EndpointGuard
  readonly #pools = new Map<string, EndpointPool>()
  readonly #connections = new Set<UpstreamConnection>()
  readonly #current = new Map<string, Backend>()
  /** By the object, not the id: a request that began with an older table keeps its older endpoints. */
  readonly #runtimes = new WeakMap<Backend, BackendRuntime>()
  readonly #balancing: BalancingContext
  readonly #health: PassiveHealth
  readonly #unusedJoins = new UnusedJoins()
  #settings: ProxySettings

  constructor(options: UpstreamsOptions) {
    this.#options = options
    this.#settings = options.settings
    this.#health = new PassiveHealth(options.clock, options.counters)
    this.#guard = new EndpointGuard({ allowLoopback: options.allowLoopbackEndpoints })
    const candidates = new Candidates(options.random, this.#health)
    this.#balancing = { candidates, health: this.#health, seed: options.seed }
    candidates.slowStartMs = options.settings.loadBalance.slowStartMs
  }

  apply(delta: Delta): void {
    if (delta.settings !== undefined) {
      this.#settings = delta.settings
      this.#balancing.candidates.slowStartMs = delta.settings.loadBalance.slowStartMs
      if (delta.settings.loadBalance.slowStartMs === 0) this.#unusedJoins.clear()
    }
    for (const [id, backend] of delta.backends) {
      const before = this.#current.get(id)
      if (backend === undefined) this.#current.delete(id)
      else this.#current.set(id, backend)
      if (before === undefined) continue
      const runtime = this.#runtimes.get(before)
      if (runtime === undefined) {
        this.#changeUnused(before, backend)
        continue
      }
      // The new ones first: a pool that both have must not be retired in between.
      if (backend !== undefined) this.#enter(backend, before)
      this.#leave(runtime)
    }
  }

  /**
   * Index of the endpoint for the next attempt of this request, -1 when there is none. An endpoint that has left the
   * table since the request began is not chosen.
   */
  choose(backend: Backend, balancing: RouteBalancing, request: BalancedRequest): number {
    this.#balancing.candidates.nowMs = this.#options.clock.nowMs
    const runtime = this.#runtimes.get(backend) ?? this.#enter(backend, undefined)
    if (runtime === undefined) return -1
    const index = runtime.balancing.choose(balancing, request)
    const pool = runtime.pools[index]
    if (pool?.health !== undefined) this.#health.chosen(pool)
    return index
  }

  balancingOf(backend: Backend): BackendBalancing | undefined {
    return this.#runtimes.get(backend)?.balancing
  }

  /**
   * Begins an attempt: a kept connection to the endpoint that has been idle for at most `maxIdleMs`, or a new one.
   * `ended` follows, whatever happens.
   */
  connection(backend: Backend, index: number, maxIdleMs: number): UpstreamConnection | undefined {
    const pool = this.#runtimes.get(backend)?.pools[index]
    if (pool === undefined) return undefined
    pool.inFlight++
    return pool.take(this.#settings, maxIdleMs)
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

  /**
   * With the first request for a backend, as most of a large table gets none. One that has left the table before has
   * nothing to begin with. `before` is the version that it replaces.
   */
  #enter(backend: Backend, before: Backend | undefined): BackendRuntime | undefined {
    if (this.#current.get(backend.id) !== backend) return undefined
    const isJoining = before !== undefined && before.endpoints.length > 0
    const joinedMs = isJoining ? this.#nowMs : -1
    const unusedJoins = this.#unusedJoins.take(backend.id)
    const pools = backend.endpoints.map(endpoint => {
      const key = endpointKey(endpoint)
      return this.#pool(endpoint, key, unusedJoins.get(key) ?? joinedMs)
    })
    for (const pool of pools) pool.references++
    const balancing = new BackendBalancing(backend, pools, {
      ...this.#balancing,
      before: before === undefined ? undefined : this.#runtimes.get(before)?.balancing,
    })
    const runtime = { pools, balancing }
    this.#runtimes.set(backend, runtime)
    return runtime
  }

  #leave(runtime: BackendRuntime): void {
    runtime.balancing.isCurrent = false
    for (const pool of runtime.pools) {
      pool.references--
      if (pool.references > 0) continue
      this.#pools.delete(pool.key)
      pool.retire()
    }
  }

  /** A backend that is not entered yet has changed, or is gone: all that is kept of it is who is new. */
  #changeUnused(before: Backend, after: Backend | undefined): void {
    const { slowStartMs } = this.#settings.loadBalance
    if (after === undefined) this.#unusedJoins.take(before.id)
    else if (slowStartMs > 0) this.#unusedJoins.note(before, after, { nowMs: this.#nowMs, slowStartMs })
  }

  /** Whole numbers need no memory of their own. */
  get #nowMs(): number {
    return Math.round(this.#options.clock.nowMs)
  }

  #pool(endpoint: Endpoint, key: string, joinedMs: number): EndpointPool {
    let pool = this.#pools.get(key)
    if (pool === undefined) {
      pool = new EndpointPool(endpoint, {
        key,
        joinedMs,
        clock: this.#options.clock,
        counters: this.#options.counters,
        guard: this.#guard,
        transports: this.#options.transports,
        health: this.#health,
        connections: this.#connections,
      })
      this.#pools.set(key, pool)
    }
    return pool
  }
}
