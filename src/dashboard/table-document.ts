import type { Problem } from '../api/problem.ts'
import type { RoutingTable } from '../routing/table.ts'

/** What the page shows, as JSON. */
export interface TableDocument {
  /** `namespace/name` of the IngressDeployment. */
  readonly instance: string | undefined
  readonly ingressClass: string
  /** Of the configuration that every data worker serves. */
  readonly servedRevision: number
  readonly revision: number
  readonly hosts: readonly HostDocument[]
  readonly backends: readonly BackendDocument[]
  readonly problems: readonly ProblemDocument[]
}

interface HostDocument {
  /** Empty for every host without an entry of its own. */
  readonly name: string
  readonly tls: boolean
  /** `namespace/secret`; absent for the default certificate. */
  readonly certificate?: string
  readonly routes: readonly RouteDocument[]
}

interface RouteDocument {
  readonly path: string
  readonly match: 'exact' | 'prefix' | 'default'
  readonly ingress: string
  readonly backend?: string
  readonly refusal?: string
}

interface BackendDocument {
  readonly id: string
  readonly endpoints: readonly string[]
}

export interface ProblemDocument {
  /** `Kind namespace/name`, or a file with its line. */
  readonly where: string
  readonly field: string
  readonly reason: string
  readonly message: string
}

/** The table in order of names; no key of a certificate is in it. */
export function describeTable(table: RoutingTable): Pick<TableDocument, 'revision' | 'hosts' | 'backends'> {
  const hosts = table.hosts().map(host => ({
    name: host.name,
    tls: host.tls,
    ...(host.certificate === undefined ? {} : { certificate: host.certificate }),
    routes: [
      ...host.routes.map(route => describeRoute(route, route.match)),
      ...(host.defaultRoute === undefined ? [] : [describeRoute(host.defaultRoute, 'default')]),
    ],
  }))
  const backends = table.backends().map(({ id, endpoints }) => ({
    id,
    endpoints: endpoints.map(({ address, port }) =>
      address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
    ),
  }))
  return {
    revision: table.revision,
    hosts: hosts.sort((one, other) => (one.name < other.name ? -1 : 1)),
    backends: backends.sort((one, other) => (one.id < other.id ? -1 : 1)),
  }
}

export function describeProblem({ object, field, reason, message }: Problem): ProblemDocument {
  const name = object.namespace === '' ? object.name : `${object.namespace}/${object.name}`
  return { where: `${object.kind} ${name}`, field, reason, message }
}

type Route = ReturnType<RoutingTable['hosts']>[number]['routes'][number]

function describeRoute(route: Route, match: RouteDocument['match']): RouteDocument {
  return {
    path: route.path,
    match,
    ingress: `${route.ingress.namespace}/${route.ingress.name}`,
    ...(route.backend === undefined ? {} : { backend: route.backend }),
    ...(route.refusal === undefined ? {} : { refusal: `${route.refusal.status} ${route.refusal.reason}` }),
  }
}
