import type { Host, Route } from './model.ts'

interface Segment {
  /** Undefined at the end of the longest paths: most hosts have nothing but a root. */
  children: Map<string, Segment> | undefined
  prefix: Route | undefined
}

/** A host that is made ready for `findRoute` with the first request for it. */
export class CompiledHost {
  readonly host: Host
  #paths: PathIndex | undefined

  constructor(host: Host) {
    this.host = host
  }

  get paths(): PathIndex {
    this.#paths ??= indexPaths(this.host)
    return this.#paths
  }
}

/** Answers `findRoute` in one map look-up and one step per path segment. */
interface PathIndex {
  readonly exact: ReadonlyMap<string, Route>
  readonly root: Segment
}

const noRoutes: ReadonlyMap<string, Route> = new Map()

function indexPaths(host: Host): PathIndex {
  let exact: Map<string, Route> | undefined
  const root: Segment = { children: undefined, prefix: undefined }
  for (const route of host.routes) {
    if (route.match === 'exact') {
      exact ??= new Map()
      if (!exact.has(route.path)) exact.set(route.path, route)
      continue
    }
    const segment = segmentAt(root, route.path)
    segment.prefix ??= route
  }
  return { exact: exact ?? noRoutes, root }
}

function segmentAt(root: Segment, path: string): Segment {
  let segment = root
  for (const name of path === '/' ? [] : path.slice(1).split('/')) {
    segment.children ??= new Map()
    let child = segment.children.get(name)
    if (child === undefined) {
      child = { children: undefined, prefix: undefined }
      segment.children.set(name, child)
    }
    segment = child
  }
  return segment
}

/**
 * The route of a request path (without query): an exact one, else the one whose path has the most segments of it.
 * Its cost grows with the matched segments only, whatever a client sends. The host's default route is not looked at.
 * https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types
 */
export function findRoute(compiled: CompiledHost, path: string): Route | undefined {
  const { exact, root } = compiled.paths
  const whole = exact.get(path)
  if (whole !== undefined) return whole
  let segment = root
  let found = segment.prefix
  let start = 1
  while (segment.children !== undefined && start <= path.length) {
    const slash = path.indexOf('/', start)
    const end = slash < 0 ? path.length : slash
    const child: Segment | undefined = segment.children.get(path.slice(start, end))
    if (child === undefined) break
    segment = child
    found = segment.prefix ?? found
    start = end + 1
  }
  return found
}

/** Names under which a host may be in the table, most specific first: itself, `*.` and its parent, every host. */
export function hostCandidates(name: string): readonly string[] {
  const wildcard = wildcardOf(name)
  return wildcard === undefined ? [name, ''] : [name, wildcard, '']
}

/** The most specific entry for a host name in lower case, without port and trailing dot. */
export function findHost<X>(hosts: ReadonlyMap<string, X>, name: string): X | undefined {
  const own = hosts.get(name)
  if (own !== undefined) return own
  const wildcard = wildcardOf(name)
  return (wildcard === undefined ? undefined : hosts.get(wildcard)) ?? hosts.get('')
}

/** `*.example.com` for `shop.example.com`: a wildcard stands for exactly one label. */
export function wildcardOf(name: string): string | undefined {
  const dot = name.indexOf('.')
  return dot > 0 && dot < name.length - 1 ? `*${name.slice(dot)}` : undefined
}
