import type { Algorithm } from '../api/load-balance.ts'
import type { ProxySettings } from '../api/settings.ts'
import type { HashExpression } from '../routing/hash-expression.ts'
import type { Route } from '../routing/model.ts'
import type { EndpointState } from './balancers/balancer.ts'
import type { RequestFacts } from './phases/phase.ts'
import { SessionAffinity } from './session-affinity.ts'

/** How an endpoint is chosen for the requests of one route. Two routes to one backend may choose differently. */
export interface RouteBalancing {
  /** For requests without a session and without a hash. */
  readonly algorithm: Algorithm
  /** Undefined where nothing is hashed. */
  readonly hashBy: HashExpression | undefined
  /** Number of endpoints that one hash leads to. */
  readonly subsetSize: number
  readonly affinity: SessionAffinity | undefined
  /** Latencies matter: the exchange tells them. */
  readonly measuresLatency: boolean
}

/** A request whose endpoint is to be chosen. */
export interface BalancedRequest extends RequestFacts {
  /** Endpoints that failed it; undefined before the first. */
  readonly tried: ReadonlySet<EndpointState> | undefined
}

const clientAddress: HashExpression = { text: '$remote_addr', parts: [{ kind: 'remoteAddress' }] }
const defaultSubsetSize = 3

/** Affinity wins over `upstream-hash-by`, that over `load-balance`, that over the settings. */
export function bindBalancing(route: Pick<Route, 'options' | 'path'>, settings: ProxySettings): RouteBalancing {
  const { options } = route
  const algorithm = options.loadBalance ?? settings.loadBalance.algorithm
  const affinity = options.affinity === undefined ? undefined : new SessionAffinity(route)
  const asked = affinity === undefined ? options.upstreamHashBy : undefined
  const isSubset = asked !== undefined && options.upstreamHashBySubset === true
  return {
    algorithm,
    hashBy: asked ?? (algorithm === 'consistent_hash' ? clientAddress : undefined),
    subsetSize: isSubset ? (options.upstreamHashBySubsetSize ?? defaultSubsetSize) : 1,
    affinity,
    measuresLatency: algorithm === 'ewma',
  }
}
