import type { ProxySettings } from '../api/settings.ts'
import type { Backend, Delta, Endpoint } from '../routing/model.ts'
import { type Balancer, isTried } from './balancers/balancer.ts'
import { balancers, defaultAlgorithm } from './balancers/index.ts'
import type { CoarseClock } from './coarse-clock.ts'
import { EndpointGuard } from './endpoint-guard.ts'
import { EndpointPool } from './endpoint-pool.ts'
import { AvoidedEndpoints, PassiveHealth } from './passive-health.ts'
import type { TransportSupport } from './transport.ts'
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
  readonly avoided: AvoidedEndpoints
}

export interface UpstreamsOptions {
  readonly clock: CoarseClock
  readonly counters: WorkerCounters
  readonly transports: TransportSupport
  readonly allowLoopbackEndpoints: boolean
  /** Where the balancers of this worker begin. */
  readonly seed: number
  readonly settings: ProxySettings
}

export class Upstreams {
  readonly #options: UpstreamsOptions
  readonly #guard: EndpointGuard
  readonly #pools = new Map<string, EndpointPool>()
  readonly #connections = new Set<UpstreamConnection>()
  readonly #balancers = new Map<string, Balancer>()
  readonly #current = new Map<string, Backend>()
  /** By the object, not the id: a request that began with an older table keeps its older endpoints. */
  readonly #runtimes = new WeakMap<Backend, BackendRuntime>()
  readonly #health: PassiveHealth
  #settings: ProxySettings

  constructor(options: UpstreamsOptions) {
    this.#options = options
    this.#settings = options.settings
    this.#health = new PassiveHealth(options.clock, options.counters)
    this.#guard = new EndpointGuard({ allowLoopback: options.allowLoopbackEndpoints })
  }

  apply(delta: Delta): void {
    if (delta.settings !== undefined) this.#settings = delta.settings
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
   * Index of the endpoint for the next attempt, -1 when there is none. An endpoint that has left the table since the
   * request began is not chosen.
   */
  choose(backend: Backend, tried: number): number {
    const runtime = this.#runtimes.get(backend)
    if (runtime === undefined) return -1
    const { pools, balancer, avoided } = runtime
    const anyEjected = this.#health.anyEjected
    if (anyEjected) this.#health.look(pools, avoided)
    const passedOver = anyEjected ? tried | avoided.bits : tried
    let index = balancer.pick(pools.length, passedOver)
    // Where nobody else is left, one that is ejected is better than one that was tried.
    const onlyEjected = passedOver !== tried && isTried(passedOver, index)
    if (onlyEjected) index = balancer.pick(pools.length, tried)
    index = this.#stepOver(runtime, index, anyEjected && !onlyEjected)
    const pool = pools[index]
    if (pool?.health !== undefined) this.#health.chosen(pool)
    return index
  }

  /** The next endpoint that is in the table and, where there is such a one, not ejected; -1 when all have left. */
  #stepOver({ pools, avoided }: BackendRuntime, from: number, mindEjected: boolean): number {
    let present = -1
    if (from < 0) return present
    for (let step = 0; step < pools.length; step++) {
      const index = (from + step) % pools.length
      const pool = pools[index]
      if (pool === undefined || pool.retired) continue
      if (!mindEjected || !this.#health.isAvoided(pool, avoided)) return index
      if (present < 0) present = index
    }
    return present
  }

  /** A kept connection to the endpoint that has been idle for at most `maxIdleMs`, or a new one. */
  connection(backend: Backend, index: number, maxIdleMs: number): UpstreamConnection | undefined {
    const pool = this.#runtimes.get(backend)?.pools[index]
    return pool?.take(this.#settings, maxIdleMs)
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
    const pools = backend.endpoints.map(endpoint => this.#pool(endpoint))
    for (const pool of pools) pool.references++
    this.#runtimes.set(backend, { pools, balancer: this.#balancer(id), avoided: new AvoidedEndpoints() })
    this.#current.set(id, backend)
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
        transports: this.#options.transports,
        health: this.#health,
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
