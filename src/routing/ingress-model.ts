import type { Ingress, IngressBackend, IngressPath } from '../api/kubernetes.ts'
import type { ObjectReference, Problem } from '../api/problem.ts'
import type { AnnotationOptions } from './annotations.ts'
import { type DeclaredClientCertificates, readClientCertificates } from './client-certificates.ts'
import { compareText } from './compare-text.ts'
import { compactEntries, type Entries } from './entries.ts'
import { isHostName, normalizeHost } from './host-name.ts'
import { wildcardOf } from './match.ts'
import type { Route } from './model.ts'
import { asRequestPath } from './path-form.ts'
import { readAnnotations } from './read-annotations.ts'
import { objectKey } from './snapshot.ts'

/** A port of a Service as an Ingress names it. */
export interface BackendReference {
  /** `namespace/service/port`. */
  readonly id: string
  readonly namespace: string
  readonly service: string
  /** Number in decimal digits, or name. */
  readonly port: string
  /** Where the Ingress first names it. */
  readonly field: string
}

/** One path of one rule, or a default backend. */
export interface DeclaredRoute {
  readonly field: string
  readonly path: string
  readonly match: Route['match']
  /** Undefined when it can't be served: the route then answers 503. */
  readonly backend: BackendReference | undefined
}

export interface TlsEntry {
  readonly field: string
  /** `namespace/name`; undefined asks for the default certificate. */
  readonly secret: string | undefined
}

/** What one Ingress says, judged by itself: other objects are not looked at. */
export interface IngressModel extends IngressReading {
  /** The text that was read, as the snapshot has it. */
  readonly said: string
}

export interface IngressReading {
  readonly key: string
  readonly object: ObjectReference
  /** Milliseconds since 1970; 0 without a creation timestamp. */
  readonly created: number
  readonly options: AnnotationOptions
  readonly refusal: Route['refusal']
  /** Its hosts, and the routes that it declares for each. */
  readonly hosts: Entries<readonly DeclaredRoute[]>
  readonly defaultRoute: DeclaredRoute | undefined
  /** Entry of `spec.tls` that names the host. */
  readonly tlsOfHost: Entries<TlsEntry>
  /** Entries of `spec.tls` without hosts. */
  readonly tlsOfAnyHost: readonly TlsEntry[]
  readonly tls: readonly TlsEntry[]
  readonly backends: Entries<BackendReference>
  readonly secrets: ReadonlySet<string>
  readonly clientCertificates: DeclaredClientCertificates | undefined
  readonly problems: readonly Problem[]
}

interface Draft {
  readonly namespace: string
  readonly hosts: Map<string, DeclaredRoute[]>
  readonly backends: Map<string, BackendReference>
  readonly report: (field: string, reason: string, message: string) => void
}

/** Precedence among Ingresses: the older first, then namespace and name. Total, so no other order shows through. */
export function compareIngresses(one: IngressModel, other: IngressModel): number {
  return (
    one.created - other.created ||
    compareText(one.object.namespace, other.object.namespace) ||
    compareText(one.object.name, other.object.name)
  )
}

export function readIngress(ingress: Ingress, annotationsPrefix: string): IngressReading {
  const object = referenceTo(ingress)
  const problems: Problem[] = []
  const report = (field: string, reason: string, message: string): void => {
    problems.push({ object, field, reason, message })
  }
  const draft: Draft = { namespace: object.namespace, hosts: new Map(), backends: new Map(), report }
  const {
    options,
    refusal,
    skip,
    problems: annotationProblems,
  } = readAnnotations(ingress.metadata.annotations, annotationsPrefix, object)
  const spec = skip ? undefined : ingress.spec
  readRules(draft, spec)
  const defaultRoute = readDefaultBackend(draft, spec)
  const tls = readTls(draft, spec)
  const asked = readClientCertificates(options, { namespace: object.namespace, prefix: annotationsPrefix })
  const clientCertificates = asked !== undefined && 'rule' in asked ? asked : undefined
  if (asked !== undefined && !('rule' in asked)) problems.push({ object, ...asked })
  const isUnfit = asked !== undefined && clientCertificates === undefined
  const created = Date.parse(ingress.metadata.creationTimestamp ?? '')
  return {
    key: objectKey(object.namespace, object.name),
    object,
    created: Number.isNaN(created) ? 0 : created,
    options,
    refusal: refusal ?? (isUnfit ? { status: 503, reason: 'InvalidAnnotation' } : undefined),
    hosts: compactEntries(draft.hosts),
    defaultRoute,
    ...tls,
    backends: compactEntries(draft.backends),
    secrets: secretsOf(tls.tls, clientCertificates),
    clientCertificates,
    problems: [...annotationProblems, ...problems],
  }
}

/** Most Ingresses have no `tls`: they share what is empty. */
const noSecrets: ReadonlySet<string> = new Set()

function secretsOf(
  tls: readonly TlsEntry[],
  clientCertificates: DeclaredClientCertificates | undefined,
): ReadonlySet<string> {
  const secrets = [...tls.map(entry => entry.secret), clientCertificates?.secret].filter(secret => secret !== undefined)
  return secrets.length === 0 ? noSecrets : new Set(secrets)
}

function referenceTo(ingress: Ingress): ObjectReference {
  const { namespace = '', name, uid } = ingress.metadata
  const reference = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace, name }
  return uid === undefined ? reference : { ...reference, uid }
}

function readRules(draft: Draft, spec: Ingress['spec']): void {
  for (const [index, rule] of (spec?.rules ?? []).entries()) {
    const host = normalizeHost(rule.host ?? '')
    if (host !== '' && !isHostName(host)) {
      const message = `host ${quote(host)} is not served: it must be a DNS name, or one whose first label alone is "*"`
      draft.report(`spec.rules[${index}].host`, 'InvalidHost', message)
      continue
    }
    const routes = draft.hosts.get(host) ?? []
    draft.hosts.set(host, routes)
    for (const [position, path] of (rule.http?.paths ?? []).entries()) {
      const route = readPath(draft, path, `spec.rules[${index}].http.paths[${position}]`)
      if (route !== undefined) routes.push(route)
    }
  }
}

function readPath(draft: Draft, declared: IngressPath, field: string): DeclaredRoute | undefined {
  const written = declared.path ?? ''
  const fault = pathFault(written, declared.pathType)
  if (fault !== undefined) {
    draft.report(`${field}.path`, 'InvalidPath', `path ${quote(written)} is not served: it ${fault}`)
    return undefined
  }
  const path = asRequestPath(written)
  const backend = readBackend(draft, declared.backend, `${field}.backend`)
  if (declared.pathType === 'Exact') return { field, path: path === '' ? '/' : path, match: 'exact', backend }
  return { field, path: withoutTrailingSlash(path), match: 'prefix', backend }
}

/** The rules of the API server, which files have not been through. */
function pathFault(path: string, pathType: IngressPath['pathType']): string | undefined {
  if (path !== '' && !path.startsWith('/')) return 'must begin with "/"'
  if (pathType !== 'Exact' && pathType !== 'Prefix') return undefined
  if (/\/\/|\/\.\.?(\/|$)|%2f/i.test(path))
    return 'must not hold "//", "/./", "/../" or "%2f" with path type Exact or Prefix'
  return undefined
}

function withoutTrailingSlash(path: string): string {
  let end = path.length
  while (end > 0 && path[end - 1] === '/') end -= 1
  return end === 0 ? '/' : path.slice(0, end)
}

function readBackend(draft: Draft, backend: IngressBackend | undefined, field: string): BackendReference | undefined {
  const service = backend?.service
  if (service === undefined) {
    const message = 'requests get 503: the backend must be a service; backends of kind resource are not supported'
    draft.report(field, 'UnsupportedBackend', message)
    return undefined
  }
  const port = service.port?.name ?? service.port?.number?.toString()
  if (port === undefined || port === '') {
    draft.report(
      `${field}.service.port`,
      'PortNotFound',
      'requests get 503: service.port.number or service.port.name must be set',
    )
    return undefined
  }
  if (`${service.name}${port}`.includes('/')) {
    // The id of a backend joins the three by slashes.
    draft.report(
      `${field}.service`,
      'UnsupportedBackend',
      'requests get 503: the names of a service and of its port hold no "/"',
    )
    return undefined
  }
  const { namespace } = draft
  const reference = { id: `${namespace}/${service.name}/${port}`, namespace, service: service.name, port, field }
  if (!draft.backends.has(reference.id)) draft.backends.set(reference.id, reference)
  return reference
}

function readDefaultBackend(draft: Draft, spec: Ingress['spec']): DeclaredRoute | undefined {
  if (spec?.defaultBackend === undefined) return undefined
  const field = 'spec.defaultBackend'
  if ((spec.rules ?? []).length === 0) draft.hosts.set('', [])
  return { field, path: '/', match: 'prefix', backend: readBackend(draft, spec.defaultBackend, field) }
}

function readTls(draft: Draft, spec: Ingress['spec']): Pick<IngressModel, 'tls' | 'tlsOfHost' | 'tlsOfAnyHost'> {
  const tls: TlsEntry[] = []
  const tlsOfAnyHost: TlsEntry[] = []
  const named = new Map<string, TlsEntry>()
  for (const [index, { hosts: written, secretName }] of (spec?.tls ?? []).entries()) {
    const secret = secretName === undefined || secretName === '' ? undefined : objectKey(draft.namespace, secretName)
    const entry = { field: `spec.tls[${index}]`, secret }
    const hosts = written ?? []
    tls.push(entry)
    if (hosts.length === 0) tlsOfAnyHost.push(entry)
    for (const name of hosts.map(normalizeHost)) if (!named.has(name)) named.set(name, entry)
  }
  const tlsOfHost = new Map<string, TlsEntry>()
  for (const host of draft.hosts.keys()) {
    const entry = named.get(host) ?? named.get(wildcardOf(host) ?? '')
    if (entry !== undefined) tlsOfHost.set(host, entry)
  }
  return { tls, tlsOfHost: compactEntries(tlsOfHost), tlsOfAnyHost }
}

/** Text of a user in a message: bounded, and without control characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)
}
