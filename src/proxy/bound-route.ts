import type { ProxySettings } from '../api/settings.ts'
import type { Host, Route } from '../routing/model.ts'
import { phases } from './phases/index.ts'
import type { Answer, PhaseCheck, RequestFacts } from './phases/phase.ts'

/** A route made ready to serve: its checks in order, and its limits with the settings filled in. */
export interface BoundRoute {
  readonly checks: readonly PhaseCheck[]
  readonly connectMs: number
  readonly readMs: number
  readonly sendMs: number
  /** 0 is unlimited. */
  readonly maxBodyBytes: number
  readonly maxAttempts: number
  /** The Ingress says how many: endpoints that refuse the connection count, too. */
  readonly triesAreExact: boolean
  /** The backend is told about the client's certificate. */
  readonly judgesClients: boolean
}

const defaultAttempts = 3

export function bindRoute(host: Host, route: Route, settings: ProxySettings): BoundRoute {
  const { options } = route
  const tries = options.upstreamTries ?? defaultAttempts
  return {
    checks: phases.map(phase => phase.bind({ host, route, settings })).filter(check => check !== undefined),
    connectMs: options.connectTimeoutMs ?? settings.timeouts.connectMs,
    readMs: options.readTimeoutMs ?? settings.timeouts.readMs,
    sendMs: options.sendTimeoutMs ?? settings.timeouts.sendMs,
    maxBodyBytes: options.maxBodyBytes ?? settings.limits.maxBodyBytes,
    // No limit of its own is still bounded: a request must not wander through a large backend for ever.
    maxAttempts: tries === 0 ? defaultAttempts : Math.min(tries, defaultAttempts),
    triesAreExact: (options.upstreamTries ?? 0) > 0,
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
