import type { KubernetesObject } from '../../../src/api/kubernetes.ts'

export const benchNamespace = 'bench'
export const benchClass = 'bench'

/** Every so many Ingresses there is one whose pods are real, to see that its routes are served. */
const sentinelEvery = 500

/** A process of this machine that answers requests; endpoints may not be on loopback addresses. */
export interface RealEndpoint {
  readonly address: string
  readonly port: number
}

/** Whether the Ingress of this number leads to pods that are there. Of the others no pod is ever called. */
export function isSentinel(index: number): boolean {
  return index % sentinelEvery === 0
}

export function hostOf(index: number): string {
  return `host-${index}.example.com`
}

export function ingressOf(index: number): KubernetesObject {
  const name = `app-${index}`
  const backend = { service: { name, port: { number: 80 } } }
  const paths = ['/', ...(index % 10 === 0 ? ['/api', '/static/images'] : [])]
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      namespace: benchNamespace,
      name,
      labels: commonLabels(name),
      annotations: {
        'nginx.ingress.kubernetes.io/proxy-read-timeout': '30',
        'nginx.ingress.kubernetes.io/ssl-redirect': 'false',
        'meta.helm.sh/release-name': name,
      },
    },
    spec: {
      ingressClassName: benchClass,
      rules: [{ host: hostOf(index), http: { paths: paths.map(path => ({ path, pathType: 'Prefix', backend })) } }],
    },
  } as KubernetesObject
}

/** Headless, so that the API server need not allot ten thousand addresses. */
export function serviceOf(index: number): KubernetesObject {
  const name = `app-${index}`
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: benchNamespace, name, labels: commonLabels(name) },
    spec: { clusterIP: 'None', ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }] },
  } as KubernetesObject
}

/** As the controller writes them: ten pods on nodes of three zones. `round` moves the last of them. */
export function sliceOf(index: number, sentinel: RealEndpoint, round = 0): KubernetesObject {
  const addresses = Array.from({ length: 10 }, (_, pod) => podAddress(index * 10 + pod + (pod === 9 ? round : 0)))
  return endpointSlice({
    name: `app-${index}-x7k2p`,
    service: `app-${index}`,
    port: isSentinel(index) ? sentinel.port : 8080,
    addresses: isSentinel(index) ? [sentinel.address] : addresses,
  })
}

export function endpointSlice(of: {
  readonly name: string
  readonly service: string
  readonly port: number
  readonly addresses: readonly string[]
}): KubernetesObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      namespace: benchNamespace,
      name: of.name,
      labels: { 'kubernetes.io/service-name': of.service, 'endpointslice.kubernetes.io/managed-by': 'bench' },
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: of.port, protocol: 'TCP' }],
    endpoints: of.addresses.map((address, pod) => endpoint(address, `${of.service}-5d8f7c9b4d-${pod}`)),
  } as KubernetesObject
}

function endpoint(address: string, pod: string): object {
  const node = Number(address.split('.').at(-1)) % 30
  return {
    addresses: [address],
    conditions: { ready: true, serving: true, terminating: false },
    nodeName: `node-${node}`,
    zone: `zone-${node % 3}`,
    targetRef: { kind: 'Pod', namespace: benchNamespace, name: pod, uid: '6f2d7c1e-8a7b-4b7e-9a54-0c8a3f1b2d4e' },
  }
}

/** 10.0.0.0/8, from 10.16.0.0 on. */
function podAddress(number: number): string {
  const value = (10 << 24) + (16 << 16) + number
  return [24, 16, 8, 0].map(shift => (value >>> shift) & 0xff).join('.')
}

function commonLabels(name: string): Record<string, string> {
  return { 'app.kubernetes.io/name': name, 'app.kubernetes.io/managed-by': 'Helm', team: 'shop' }
}
