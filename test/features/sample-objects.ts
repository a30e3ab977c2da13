import { generateSelfSigned, type IssuedKeyPair } from '../../src/certificates/generate.ts'

/** Manifests as text, in the namespace `shop`. */

export interface RuleSample {
  readonly host?: string
  readonly path?: string
  readonly pathType?: string
  readonly service: string
}

export function ingress(
  name: string,
  rules: readonly RuleSample[],
  more: {
    readonly className?: string
    /** Without their prefix. */
    readonly annotations?: Readonly<Record<string, string>>
    readonly tls?: readonly { readonly hosts: readonly string[]; readonly secretName: string }[]
  } = {},
): string {
  const { className = 'shop', annotations = {}, tls } = more
  const prefixed = Object.entries(annotations).map(
    ([key, text]) => [`nginx.ingress.kubernetes.io/${key}`, text] as const,
  )
  return JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'shop', annotations: Object.fromEntries(prefixed) },
    spec: {
      ...(className === '' ? {} : { ingressClassName: className }),
      ...(tls ? { tls } : {}),
      rules: rules.map(({ host, path = '/', pathType = 'Prefix', service }) => ({
        ...(host === undefined ? {} : { host }),
        http: { paths: [{ path, pathType, backend: { service: { name: service, port: { name: 'http' } } } }] },
      })),
    },
  })
}

export function service(name: string): string {
  const metadata = { name, namespace: 'shop' }
  return JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ name: 'http', port: 80 }] } })
}

/** An EndpointSlice with one loopback endpoint, meant for one zone or for any, or with none. */
export function slice(name: string, serviceName: string, port: number | undefined, zone?: string): string {
  const hints = zone === undefined ? {} : { hints: { forZones: [{ name: zone }] } }
  return JSON.stringify({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': serviceName } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: port ?? 1, protocol: 'TCP' }],
    endpoints: port === undefined ? [] : [{ addresses: ['127.0.0.1'], conditions: { ready: true }, ...hints }],
  })
}

export function ingressDeployment(spec: object = {}): string {
  const metadata = { name: 'shop', namespace: 'shop' }
  return JSON.stringify({ apiVersion: 'ingressfleet.dev/v1alpha1', kind: 'IngressDeployment', metadata, spec })
}

export async function tlsSecret(name: string, hosts: readonly string[]): Promise<string> {
  const { certificate, key }: IssuedKeyPair = await generateSelfSigned({ hosts, now: new Date() })
  const stringData = { 'tls.crt': certificate, 'tls.key': key }
  const metadata = { name, namespace: 'shop' }
  return JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/tls', stringData })
}
