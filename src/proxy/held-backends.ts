import type { Backend } from '../routing/model.ts'
import { lookAtEndpoints } from '../routing/packed-backend.ts'
import { defaultAlgorithm } from './balancers/index.ts'
import type { HeldBackend } from './worker-protocol.ts'

const withoutOptions = {
  sslPassthrough: false,
  sessionAffinityConfig: { name: '', mode: '', cookieSessionAffinity: { name: '' } },
  upstreamHashByConfig: { 'upstream-hash-by-subset-size': 3 },
  noServer: false,
  trafficShapingPolicy: { weight: 0, weightTotal: 0, header: '', headerValue: '', headerPattern: '', cookie: '' },
} as const

/** What a worker holds, in the shape that `kubectl ingress-nginx backends` prints, sorted by name. */
export function listHeldBackends(backends: Iterable<Backend>): HeldBackend[] {
  const held = [...backends].map(describe).sort((a, b) => (a.name < b.name ? -1 : 1))
  held.push({
    name: 'upstream-default-backend',
    port: '0',
    endpoints: [],
    'load-balance': defaultAlgorithm,
    ...withoutOptions,
  })
  return held
}

/** `namespace-service-port`, as ingress-nginx names an upstream, also in the access log. */
export function upstreamName(backend: Pick<Backend, 'namespace' | 'service' | 'port'>): string {
  return `${backend.namespace}-${backend.service}-${backend.port}`
}

function describe(backend: Backend): HeldBackend {
  return {
    name: upstreamName(backend),
    service: { metadata: { namespace: backend.namespace, name: backend.service } },
    port: backend.port,
    endpoints: lookAtEndpoints(backend).map(({ address, port }) => ({ address, port: String(port) })),
    'load-balance': defaultAlgorithm,
    ...withoutOptions,
  }
}
