import type { ProxySettings } from '../api/settings.ts'
import type { RoutingTable } from '../routing/table.ts'
import type { AccessLog } from './access-log.ts'
import type { BoundRoutes } from './bound-route.ts'
import type { CoarseClock } from './coarse-clock.ts'
import type { RequestIds } from './request-ids.ts'
import type { Upstreams } from './upstreams.ts'
import type { WorkerCounters } from './worker-counters.ts'
import type { ForwardedPorts } from './worker-protocol.ts'

/** What every connection of one worker shares. */
export interface WorkerContext {
  readonly table: RoutingTable
  readonly routes: BoundRoutes
  readonly upstreams: Upstreams
  readonly clock: CoarseClock
  readonly counters: WorkerCounters
  readonly accessLog: AccessLog
  readonly requestIds: RequestIds
  readonly forwardedPorts: ForwardedPorts
  /** Changes with deltas: read it anew for every request. */
  settings: ProxySettings
  /** From the start of the drain: every response closes its connection. */
  draining: boolean
  /** Memory is short: new requests are refused. */
  overloaded: boolean
  /** A bug: the request is given up, the worker goes on. */
  reportBug(error: unknown): void
}
