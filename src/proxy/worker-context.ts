import type { ProxySettings } from '../api/settings.ts'
import type { RoutingTable } from '../routing/table.ts'
import type { AccessLog } from './access-log.ts'
import type { BoundRoutes } from './bound-route.ts'
import type { CoarseClock } from './coarse-clock.ts'
import type { DiscardBudget } from './discard-budget.ts'
import type { BodyBudget } from './request-buffer.ts'
import type { RequestIds } from './request-ids.ts'
import type { RetryBudget } from './retry-policy.ts'
import type { TransportSupport } from './transport.ts'
import type { Upstreams } from './upstreams.ts'
import type { WorkerCounters } from './worker-counters.ts'
import type { ForwardedPorts } from './worker-protocol.ts'

/** What every connection of one worker shares. */
export interface WorkerContext {
  readonly table: RoutingTable
  readonly routes: BoundRoutes
  readonly upstreams: Upstreams
  readonly transports: TransportSupport
  readonly clock: CoarseClock
  readonly counters: WorkerCounters
  readonly accessLog: AccessLog
  readonly requestIds: RequestIds
  readonly forwardedPorts: ForwardedPorts
  readonly bodyBudget: BodyBudget
  readonly retryBudget: RetryBudget
  readonly discardBudget: DiscardBudget
  /** Changes with deltas: read it anew for every request. */
  settings: ProxySettings
  /** From the start of the drain: every response closes its connection. */
  draining: boolean
  /** When the drain must have ended, by the coarse clock; infinite while the worker goes on listening. */
  drainEndsMs: number
  /** Memory is short: new requests are refused. */
  overloaded: boolean
  /** A bug: the request is given up, the worker goes on. */
  reportBug(error: unknown): void
}
