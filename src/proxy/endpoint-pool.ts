import type { ProxySettings } from '../api/settings.ts'
import type { Endpoint } from '../routing/model.ts'
import type { EndpointState } from './balancers/balancer.ts'
import type { CoarseClock } from './coarse-clock.ts'
import type { EndpointGuard } from './endpoint-guard.ts'
import type { ProxyErrorCode } from './errors.ts'
import type { Judged, PassiveHealth } from './passive-health.ts'
import type { TransportSupport } from './transport.ts'
import { UpstreamConnection } from './upstream-connection.ts'
import type { WorkerCounters } from './worker-counters.ts'

export interface EndpointPoolOptions {
  readonly key: string
  /** When it joined others of its backend, by the coarse clock; -1 when there were none. */
  readonly joinedMs: number
  readonly clock: CoarseClock
  readonly counters: WorkerCounters
  readonly guard: EndpointGuard
  readonly transports: TransportSupport
  readonly health: PassiveHealth
  /** Every open connection of the worker, for its clock. */
  readonly connections: Set<UpstreamConnection>
}

/** What pools and balancers know an endpoint by. */
export function endpointKey({ address, port }: Endpoint): string {
  return `${address}:${port}`
}

/**
 * Connections of one worker to one address, the one used last first: the others may grow old and be closed. And what
 * balancers go by, all of it whole numbers, which need no memory of their own.
 */
export class EndpointPool implements EndpointState {
  readonly key: string
  readonly address: string
  readonly port: number
  /** Backends of the present table with this address. */
  references = 0
  /** No backend has it any more. */
  retired = false
  /** Set and read by `PassiveHealth` alone. */
  health: Judged['health']
  inFlight = 0
  latencyUs = 0
  latencyAtMs = 0
  readonly joinedMs: number
  readonly #options: EndpointPoolOptions
  readonly #idle: UpstreamConnection[] = []

  constructor(endpoint: Endpoint, options: EndpointPoolOptions) {
    this.key = options.key
    this.joinedMs = options.joinedMs
    this.address = endpoint.address
    this.port = endpoint.port
    this.#options = options
  }

  /** A kept connection that has waited for at most `maxIdleMs`, else a new one; with 0 always a new one. */
  take(settings: ProxySettings, maxIdleMs: number): UpstreamConnection {
    const { counters, clock } = this.#options
    const youngest = maxIdleMs === 0 ? undefined : this.#idle[this.#idle.length - 1]
    const kept = youngest !== undefined && clock.nowMs - youngest.idleSinceMs <= maxIdleMs ? youngest : undefined
    if (kept !== undefined) {
      this.#idle.pop()
      counters.add('upstreamIdle', -1)
      counters.add('upstreamReuses')
      return kept
    }
    counters.add('upstreamConnects')
    return new UpstreamConnection(this, settings)
  }

  /** After a request: keeps the connection, or says false and the caller closes it. */
  keep(connection: UpstreamConnection, maxIdle: number): boolean {
    if (this.retired || this.#idle.length >= maxIdle) return false
    this.#idle.push(connection)
    this.#options.counters.add('upstreamIdle')
    return true
  }

  /** An idle connection closed. */
  forget(connection: UpstreamConnection): void {
    const index = this.#idle.lastIndexOf(connection)
    if (index < 0) return
    this.#idle.splice(index, 1)
    this.#options.counters.add('upstreamIdle', -1)
  }

  opened(connection: UpstreamConnection): void {
    this.#options.connections.add(connection)
    this.#options.counters.add('upstreamOpen')
  }

  closed(connection: UpstreamConnection): void {
    if (this.#options.connections.delete(connection)) this.#options.counters.add('upstreamOpen', -1)
    this.forget(connection)
  }

  /** A request failed here. */
  failed(code: ProxyErrorCode): void {
    if (!this.retired) this.#options.health.failed(this, code)
  }

  /** A response began here. */
  answered(): void {
    if (this.health !== undefined) this.#options.health.forget(this)
  }

  retire(): void {
    this.retired = true
    this.#options.health.forget(this)
    this.closeIdle()
  }

  closeIdle(): void {
    const idle = this.#idle.splice(0)
    this.#options.counters.add('upstreamIdle', -idle.length)
    for (const connection of idle) connection.destroy()
  }

  get clock(): CoarseClock {
    return this.#options.clock
  }

  get counters(): WorkerCounters {
    return this.#options.counters
  }

  get guard(): EndpointGuard {
    return this.#options.guard
  }

  get transports(): TransportSupport {
    return this.#options.transports
  }
}
