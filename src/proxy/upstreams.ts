import type { ProxySettings } from '../api/settings.ts'
import type { Backend, Delta, Endpoint } from '../routing/model.ts'
import { type Balancer, isTried } from './balancers/balancer.ts'
import { balancers, defaultAlgorithm } from './balancers/index.ts'
import type { CoarseClock } from './coarse-clock.ts'
import { EndpointGuard } from './endpoint-guard.ts'
import { EndpointPool } from './endpoint-pool.ts'
import type { UpstreamConnection } from './upstream-connection.ts'
import type { WorkerCounters } from './worker-counters.ts'

/**
 * What outlives a change of the table: connections by endpoint address, and the turn of each backend's balancer.
 *
 * Pools belong to addresses, because two Services may select the same pod. A pool lives as long as one backend of the
 * present table has its address; then its idle connections are closed at once and its busy ones after their request.
 * An address that comes back gets a new pool, so that nothing reaches another tenant's pod over an old connection.
 */

interface BackendRuntime {
  /** In the order of the backend's endpoints. */
  readonly pools: readonly EndpointPool[]
  readonly balancer: Balancer
}

export interface UpstreamsOptions {
  readonly clock: CoarseClock
  readonly counters: WorkerCounters
  readonly allowLoopbackEndpoints: boolean
  /** Where the balancers of this worker begin. */
  readonly seed: number
  readonly settings: ProxySettings
}

/** A pod that ends refuses connections before its EndpointSlice says so; by then it does. */
const refusalMs = 1000

export class Upstreams {
  readonly #options: UpstreamsOptions
  readonly #guard: EndpointGuard
  readonly #pools = new Map<string, EndpointPool>()
  readonly #connections = new Set<UpstreamConnection>()
  readonly #balancers = new Map<string, Balancer>()
  readonly #current = new Map<string, Backend>()
  /** By the object, not the id: a request that began with an older table keeps its older endpoints. */
  readonly #runtimes = new WeakMap<Backend, BackendRuntime>()
  #settings: ProxySettings
  /** No endpoint is passed over after this time. */
  #refusalsEndMs = 0

  constructor(options: UpstreamsOptions) {
    this.#options = options
    this.#settings = options.settings
    this.#guard = new EndpointGuard({ allowLoopback: options.allowLoopbackEndpoints })
  }

  apply(delta: Delta): void {
    if (delta.settings !== undefined) this.#settings = delta.settings
    for (const [id, backend] of delta.backends) {
      const before = this.#current.get(id)
      if (backend === undefined) {
        this.#current.delete(id)
        this.#balancers.delete(id)
      } else this.#current.set(id, backend)
      if (before === undefined || !this.#runtimes.has(before)) continue
      // The new ones first: a pool that both have must not be retired in between.
      if (backend !== undefined) this.#enter(backend)
      this.#leave(before)
    }
  }

  /**
   * Index of the endpoint for the next attempt, -1 when there is none. An endpoint that has left the table since the
   * request began is not chosen.
   */
  choose(backend: Backend, tried: number): number {
    const runtime = this.#runtimes.get(backend) ?? this.#enter(backend)
    if (runtime === undefined) return -1
    const count = runtime.pools.length
    const avoided = tried | this.#refusing(runtime)
    let index = runtime.balancer.pick(count, avoided)
    // Where nobody else is left, one that refused is better than one that was tried.
    if (avoided !== tried && isTried(avoided, index)) index = runtime.balancer.pick(count, tried)
    for (let step = 0; index >= 0 && runtime.pools[index]?.retired === true; step++) {
      if (step === count) return -1
      index = (index + 1) % count
    }
    return index
  }

  /** The endpoint did not take a connection: for a moment requests go to the others. */
  refused(backend: Backend, index: number): void {
    const pool = this.#runtimes.get(backend)?.pools[index]
    if (pool === undefined) return
    pool.refusedUntilMs = this.#options.clock.nowMs + refusalMs
    this.#refusalsEndMs = pool.refusedUntilMs
  }

  /** A bit for each endpoint that refused a moment ago. */
  #refusing({ pools }: BackendRuntime): number {
    const { nowMs } = this.#options.clock
    if (nowMs >= this.#refusalsEndMs) return 0
    let bits = 0
    for (let index = 0; index < Math.min(31, pools.length); index++) {
      if ((pools[index]?.refusedUntilMs ?? 0) > nowMs) bits |= 1 << index
    }
    return bits
  }

  /** A kept connection to the endpoint, or a new one when there is none or `fresh` is asked for. */
  connection(backend: Backend, index: number, fresh: boolean): UpstreamConnection | undefined {
    const pool = this.#runtimes.get(backend)?.pools[index]
    return pool?.take(this.#settings, fresh)
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
   * nothing to begin with.
   */
  #enter(backend: Backend): BackendRuntime | undefined {
    if (this.#current.get(backend.id) !== backend) return undefined
    const pools = backend.endpoints.map(endpoint => this.#pool(endpoint))
    for (const pool of pools) pool.references++
    const runtime = { pools, balancer: this.#balancer(backend.id) }
    this.#runtimes.set(backend, runtime)
    return runtime
  }

  #leave(backend: Backend): void {
    for (const pool of this.#runtimes.get(backend)?.pools ?? []) {
      pool.references--
      if (pool.references > 0) continue
      this.#pools.delete(pool.key)
      pool.retire()
    }
  }

  #pool(endpoint: Endpoint): EndpointPool {
    const key = `${endpoint.address}:${endpoint.port}`
    let pool = this.#pools.get(key)
    if (pool === undefined) {
      pool = new EndpointPool(endpoint, {
        key,
        clock: this.#options.clock,
        counters: this.#options.counters,
        guard: this.#guard,
        connections: this.#connections,
      })
      this.#pools.set(key, pool)
    }
    return pool
  }

  #balancer(id: string): Balancer {
    let balancer = this.#balancers.get(id)
    if (balancer === undefined) {
      balancer = balancers[defaultAlgorithm](this.#options.seed)
      this.#balancers.set(id, balancer)
    }
    return balancer
  }
}
