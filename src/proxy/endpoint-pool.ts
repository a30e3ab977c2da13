import type { ProxySettings } from '../api/settings.ts'
import type { Endpoint } from '../routing/model.ts'
import type { EndpointState } from './balancers/balancer.ts'
import type { CoarseClock } from './coarse-clock.ts'
import type { EndpointGuard } from './endpoint-guard.ts'
import { UpstreamConnection } from './upstream-connection.ts'
import type { WorkerCounters } from './worker-counters.ts'

export interface EndpointPoolOptions {
  readonly key: string
  /** When it joined others of its backend, by the coarse clock; -1 when there were none. */
  readonly joinedMs: number
  readonly clock: CoarseClock
  readonly counters: WorkerCounters
  readonly guard: EndpointGuard
  /** Every open connection of the worker, for its clock. */
  readonly connections: Set<UpstreamConnection>
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
  /** It refused a connection a moment ago: until then, by the coarse clock, the others come first. */
  refusedUntilMs = 0
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

  take(settings: ProxySettings, fresh: boolean): UpstreamConnection {
    const { counters } = this.#options
    const kept = fresh ? undefined : this.#idle.pop()
    if (kept !== undefined) {
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

  retire(): void {
    this.retired = true
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
}
