import type { EndpointSlice, Ingress, IngressPath, Secret, Service, ServicePort } from '../../src/api/kubernetes.ts'
import type { CheckKeyPair } from '../../src/routing/certificate-book.ts'
import { defaultSettings } from '../../src/routing/default-settings.ts'
import type { Change, SourceObject } from '../../src/routing/snapshot.ts'
import { RoutingTable } from '../../src/routing/table.ts'
import {
  createTranslator,
  type Translation,
  type Translator,
  type TranslatorOptions,
} from '../../src/routing/translator.ts'

/** Short ways to write Kubernetes objects in tests. Everything is in namespace `shop` and class `public`. */

type Spec = NonNullable<Ingress['spec']>

export interface IngressDraft extends Partial<Spec> {
  readonly name?: string
  readonly namespace?: string
  readonly annotations?: Record<string, string>
  readonly labels?: Record<string, string>
  /** Second of the creation. */
  readonly created?: number
}

export function ingress(draft: IngressDraft): Ingress {
  const { name = 'web', namespace = 'shop', annotations = {}, labels = {}, created = 0, ...spec } = draft
  const creationTimestamp = new Date(Date.UTC(2024, 0, 1, 0, 0, created)).toISOString().replace('.000', '')
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { namespace, name, creationTimestamp, labels, annotations: prefixed(annotations) },
    spec: { ingressClassName: 'public', ...spec },
  }
}

function prefixed(annotations: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).map(([key, text]) => [
      key.includes('/') ? key : `nginx.ingress.kubernetes.io/${key}`,
      text,
    ]),
  )
}

export function backendOf(service: string, port: number | string = 80): NonNullable<Spec['defaultBackend']> {
  return { service: { name: service, port: typeof port === 'number' ? { number: port } : { name: port } } }
}

export function path(text: string, service = 'app', pathType: IngressPath['pathType'] = 'Prefix'): IngressPath {
  return { path: text, ...(pathType === undefined ? {} : { pathType }), backend: backendOf(service) }
}

export function rule(host: string | undefined, ...paths: IngressPath[]): NonNullable<Spec['rules']>[number] {
  return { ...(host === undefined ? {} : { host }), http: { paths } }
}

export function service(
  name: string,
  ports: readonly ServicePort[] = [{ port: 80 }],
  spec: Service['spec'] = {},
): Service {
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'shop', name }, spec: { ports, ...spec } }
}

type SliceEndpoint = NonNullable<EndpointSlice['endpoints']>[number]

export function slice(
  of: string,
  endpoints: readonly SliceEndpoint[],
  draft: Partial<EndpointSlice> & { name?: string } = {},
): EndpointSlice {
  const { name = `${of}-1`, ...rest } = draft
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'shop', name, labels: { 'kubernetes.io/service-name': of } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints,
    ...rest,
  }
}

export function ready(...addresses: string[]): SliceEndpoint {
  return { addresses, conditions: { ready: true, serving: true, terminating: false } }
}

export function terminating(...addresses: string[]): SliceEndpoint {
  return { addresses, conditions: { ready: false, serving: true, terminating: true } }
}

/** A Secret that `checkKeyPair` below accepts for these hosts. */
export function tlsSecret(name: string, hosts: string, serial = 1): Secret {
  return secretWith(name, { 'tls.crt': `certificate ${serial} for ${hosts}`, 'tls.key': `key ${serial}` })
}

export function secretWith(name: string, data: Record<string, string>): Secret {
  const encoded = Object.fromEntries(Object.entries(data).map(([key, text]) => [key, btoa(text)]))
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'shop', name },
    type: 'kubernetes.io/tls',
    data: encoded,
  }
}

/** Stands in for the parser of certificates, which runs Node's crypto: the text says what the certificate is. */
export const checkKeyPair: CheckKeyPair = (certificate, key) => {
  const [, serial, hosts] = /^certificate (\d+) for (.*)$/.exec(certificate) ?? []
  if (serial === undefined || hosts === undefined)
    return { ok: false, reason: 'InvalidCertificate', message: 'it is no PEM' }
  if (key !== `key ${serial}`)
    return { ok: false, reason: 'InvalidKeyPair', message: 'the key is of another certificate' }
  const notAfter = '2030-01-01T00:00:00Z'
  const names = hosts.replace(' expired', '').split(',')
  return { ok: true, hosts: names, notAfter, ...(hosts.endsWith('expired') ? { warning: 'it expired' } : {}) }
}

export const options: TranslatorOptions = {
  ingressClass: { name: 'public', isDefault: false, controller: 'ingressfleet.dev/ingress-controller' },
  classes: 'fixed',
  namespaces: null,
  ingressSelector: null,
  allowLoopbackEndpoints: false,
  annotationsPrefix: 'nginx.ingress.kubernetes.io',
  defaultCertificate: undefined,
  checkKeyPair,
  checkAuthorities: authorities => (authorities.startsWith('authorities') ? undefined : 'ca.crt is odd'),
  settings: defaultSettings,
}

export function put(...objects: SourceObject[]): Change[] {
  return objects.map(object => ({ ...identity(object), object }))
}

export function drop(...objects: SourceObject[]): Change[] {
  return objects.map(object => ({ ...identity(object), object: undefined }))
}

function identity({ kind, metadata }: SourceObject): Omit<Change, 'object'> {
  return { kind, namespace: metadata.namespace ?? '', name: metadata.name }
}

/** A translator and the table that takes in what it gives. */
export interface Bench {
  readonly translator: Translator
  readonly table: RoutingTable
  readonly apply: (changes: readonly Change[]) => Translation
  readonly reconfigure: (changed: Partial<TranslatorOptions>) => Translation
  /** The Service that a request reaches, `404`, or the refusal. */
  readonly ask: (host: string, path: string) => string
  /** `reason object field` of every problem. */
  readonly reasons: () => readonly string[]
}

export function bench(objects: readonly SourceObject[] = [], changed: Partial<TranslatorOptions> = {}): Bench {
  const translator = createTranslator({ ...options, ...changed })
  const table = new RoutingTable()
  const take = (translation: Translation): Translation => {
    if (translation.delta !== undefined) table.apply(translation.delta)
    return translation
  }
  take(translator.apply(put(...objects)))
  return {
    translator,
    table,
    apply: changes => take(translator.apply(changes)),
    reconfigure: options => take(translator.reconfigure(options)),
    ask: (host, path) => ask(table, host, path),
    reasons: () =>
      translator.problems().map(({ reason, object, field }) => `${reason} ${object.namespace}/${object.name} ${field}`),
  }
}

function ask(table: RoutingTable, host: string, path: string): string {
  const route = table.find(host, path)?.route
  if (route === undefined) return '404'
  if (route.refusal !== undefined) return `${route.refusal.status} ${route.refusal.reason}`
  return table.backend(route.backend ?? '')?.service ?? '503'
}

/** `address:port` of the endpoints of a backend. */
export function endpoints(table: RoutingTable, id: string): readonly string[] | undefined {
  return table.backend(id)?.endpoints.map(({ address, port }) => `${address}:${port}`)
}
