import type { ProxySettings } from '../api/settings.ts'
import type { Host, Route } from '../routing/model.ts'
import { phases } from './phases/index.ts'
import type { Answer, PhaseCheck, RequestFacts } from './phases/phase.ts'
import { type RetryPolicy, retryPolicy } from './retry-policy.ts'
import { bindBalancing, type RouteBalancing } from './route-balancing.ts'

/** A route made ready to serve: its checks in order, and its limits with the settings filled in. */
export interface BoundRoute {
  readonly checks: readonly PhaseCheck[]
  readonly connectMs: number
  readonly readMs: number
  readonly sendMs: number
  /** 0 is unlimited. */
  readonly maxBodyBytes: number
  /** The body is read whole before an endpoint is asked. */
  readonly requestBuffering: boolean
  readonly maxBufferedBodyBytes: number
  readonly retry: RetryPolicy
  readonly balancing: RouteBalancing
  /** The backend is told about the client's certificate. */
  readonly judgesClients: boolean
}

export function bindRoute(host: Host, route: Route, settings: ProxySettings): BoundRoute {
  const { options } = route
  const connectMs = options.connectTimeoutMs ?? settings.timeouts.connectMs
  const readMs = options.readTimeoutMs ?? settings.timeouts.readMs
  return {
    checks: phases.map(phase => phase.bind({ host, route, settings })).filter(check => check !== undefined),
    connectMs,
    readMs,
    sendMs: options.sendTimeoutMs ?? settings.timeouts.sendMs,
    maxBodyBytes: options.maxBodyBytes ?? settings.limits.maxBodyBytes,
    requestBuffering: options.requestBuffering ?? settings.requestBuffering,
    maxBufferedBodyBytes: options.maxBufferedBodyBytes ?? settings.limits.maxBufferedBodyBytes,
    retry: retryPolicy(options, settings, { connectMs, readMs }),
    balancing: bindBalancing(route, settings),
    judgesClients: host.clientCertificates !== undefined,
  }
}

/** The first answer of the route's checks, or undefined when the backend is to answer. */
export function check(route: BoundRoute, request: RequestFacts): Answer | undefined {
  for (const one of route.checks) {
    const answer = one(request)
    if (answer !== undefined) return answer
  }
  return undefined
}

/** Binds each route once; settings that change make all of them anew. */
export class BoundRoutes {
  #settings: ProxySettings
  #bound = new WeakMap<Route, BoundRoute>()

  constructor(settings: ProxySettings) {
    this.#settings = settings
  }

  use(settings: ProxySettings): void {
    if (settings === this.#settings) return
    this.#settings = settings
    this.#bound = new WeakMap()
  }

  of(host: Host, route: Route): BoundRoute {
    let bound = this.#bound.get(route)
    if (bound === undefined) {
      bound = bindRoute(host, route, this.#settings)
      this.#bound.set(route, bound)
    }
    return bound
  }
}
