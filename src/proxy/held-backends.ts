import type { ProxySettings } from '../api/settings.ts'
import type { Backend, Host, Route } from '../routing/model.ts'
import { lookAtEndpoints } from '../routing/packed-backend.ts'
import { bindBalancing } from './route-balancing.ts'
import { defaultCookieName } from './session-affinity.ts'
import type { HeldBackend } from './worker-protocol.ts'

/** What decides how a backend's endpoints are chosen. */
export interface HeldConfiguration {
  readonly hosts: Iterable<Host>
  readonly settings: ProxySettings
}

/** A route and the host that has it. */
interface HeldRoute {
  readonly host: string
  readonly route: Route
}

const withoutOptions = {
  sslPassthrough: false,
  sessionAffinityConfig: { name: '', mode: '', cookieSessionAffinity: { name: '' } },
  upstreamHashByConfig: { 'upstream-hash-by-subset-size': 3 },
  noServer: false,
  trafficShapingPolicy: { weight: 0, weightTotal: 0, header: '', headerValue: '', headerPattern: '', cookie: '' },
} as const

/**
 * What a worker holds, in the shape that `kubectl ingress-nginx backends` prints, sorted by name. How endpoints are
 * chosen belongs to routes; shown is what the first route with an affinity, a hash or an algorithm of its own says.
 */
export function listHeldBackends(backends: Iterable<Backend>, configuration: HeldConfiguration): HeldBackend[] {
  const { hosts, settings } = configuration
  const routes = routesByBackend(hosts)
  const held = [...backends]
    .map(backend => describe(backend, routes.get(backend.id) ?? [], settings))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  held.push({
    name: 'upstream-default-backend',
    port: '0',
    endpoints: [],
    'load-balance': settings.loadBalance.algorithm,
    ...withoutOptions,
  })
  return held
}

/** `namespace-service-port`, as ingress-nginx names an upstream, also in the access log. */
export function upstreamName(backend: Pick<Backend, 'namespace' | 'service' | 'port'>): string {
  return `${backend.namespace}-${backend.service}-${backend.port}`
}

function routesByBackend(hosts: Iterable<Host>): ReadonlyMap<string, readonly HeldRoute[]> {
  const found = new Map<string, HeldRoute[]>()
  for (const { name: host, routes, defaultRoute } of hosts) {
    for (const route of defaultRoute === undefined ? routes : [...routes, defaultRoute]) {
      if (route.backend === undefined) continue
      const list = found.get(route.backend) ?? []
      list.push({ host, route })
      found.set(route.backend, list)
    }
  }
  for (const list of found.values()) list.sort((one, other) => (one.route.id < other.route.id ? -1 : 1))
  return found
}

function describe(backend: Backend, routes: readonly HeldRoute[], settings: ProxySettings): HeldBackend {
  const sticky = routes.filter(({ route }) => route.options.affinity !== undefined)
  const hashed = routes.find(({ route }) => route.options.upstreamHashBy !== undefined)?.route.options
  const balanced = routes.find(({ route }) => route.options.loadBalance !== undefined) ?? routes[0]
  return {
    ...withoutOptions,
    name: upstreamName(backend),
    service: { metadata: { namespace: backend.namespace, name: backend.service } },
    port: backend.port,
    endpoints: lookAtEndpoints(backend).map(({ address, port }) => ({ address, port: String(port) })),
    sessionAffinityConfig: describeAffinity(sticky),
    upstreamHashByConfig: {
      'upstream-hash-by-subset-size': hashed?.upstreamHashBySubsetSize ?? 3,
      ...(hashed?.upstreamHashBy === undefined ? {} : { 'upstream-hash-by': hashed.upstreamHashBy.text }),
      ...(hashed?.upstreamHashBySubset === undefined ? {} : { 'upstream-hash-by-subset': hashed.upstreamHashBySubset }),
    },
    'load-balance': (balanced === undefined ? settings.loadBalance : bindBalancing(balanced.route, settings)).algorithm,
  }
}

function describeAffinity(sticky: readonly HeldRoute[]): HeldBackend['sessionAffinityConfig'] {
  const [first] = sticky
  if (first === undefined) return withoutOptions.sessionAffinityConfig
  const { options } = first.route
  const locations: Record<string, string[]> = {}
  for (const { host, route } of sticky) {
    const name = host === '' ? '_' : host
    locations[name] = [...(locations[name] ?? []), route.path]
  }
  const optional = {
    expires: options.sessionCookieExpires?.toString(),
    maxage: options.sessionCookieMaxAge?.toString(),
    secure: options.sessionCookieSecure,
    path: options.sessionCookiePath,
    domain: options.sessionCookieDomain,
    samesite: options.sessionCookieSameSite,
    conditional_samesite_none: options.sessionCookieConditionalSameSiteNone,
    change_on_failure: options.sessionCookieChangeOnFailure,
  }
  return {
    name: 'cookie',
    mode: options.affinityMode ?? 'balanced',
    cookieSessionAffinity: {
      name: options.sessionCookieName ?? defaultCookieName,
      locations,
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    },
  }
}
