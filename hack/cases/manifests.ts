import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { IssuedKeyPair } from '../../src/certificates/generate.ts'
import type { BackendName } from './recorder.ts'

/** Which settings the proxy runs with: `patient` has the defaults, `hasty` gives up on a slow peer after a second. */
export type Temper = 'patient' | 'hasty'

export interface ManifestInput {
  readonly ports: Readonly<Record<BackendName, number>>
  readonly keyPair: IssuedKeyPair
  readonly temper: Temper
}

/** Hosts of the certificate. */
export const hosts: readonly string[] = ['a.test', 'b.test', 'mtls.test', '*.wild.test']

/** Backend that each host belongs to; every other host is answered with 404. */
export function backendOfHost(host: string): BackendName | undefined {
  if (host === 'b.test' || host === 'mtls.test') return 'other'
  return host === 'a.test' || /^[^.]+\.wild\.test$/.test(host) ? 'recorder' : undefined
}

const namespace = 'cases'
const oneSecond = ['clientHeadSeconds', 'clientBodySeconds', 'keepAliveSeconds', 'readSeconds', 'sendSeconds']

/** Writes what `serve` reads: an IngressDeployment, Ingresses, Services, EndpointSlices and the certificate. */
export function writeManifests(folder: string, input: ManifestInput): void {
  const backends = Object.entries(input.ports).flatMap(([name, port]) => [service(name), endpointSlice(name, port)])
  const objects = [ingressDeployment(input.temper), secret(input.keyPair), ...ingresses(), ...backends]
  writeFileSync(join(folder, 'cases.yaml'), objects.map(one => stringify(one)).join('---\n'))
}

function ingressDeployment(temper: Temper): object {
  const timeouts = temper === 'hasty' ? { timeouts: Object.fromEntries(oneSecond.map(name => [name, 1])) } : {}
  return {
    apiVersion: 'ingressfleet.dev/v1alpha1',
    kind: 'IngressDeployment',
    metadata: { name: 'cases', namespace },
    // One worker, so that there is one pool of idle upstream connections and reuse can be seen.
    spec: { configuration: { workers: 1, accessLog: 'off', tlsRedirect: false, ...timeouts } },
  }
}

function ingresses(): readonly object[] {
  const ofHost = (host: string): object => rule(host, '/', backendOfHost(host.replace('*', 'any')) ?? 'other')
  return [
    ingress('all', hosts.map(ofHost), {}),
    ingress('small-bodies', [rule('a.test', '/limit4', 'recorder')], { 'proxy-body-size': '4' }),
  ]
}

function ingress(name: string, rules: readonly object[], annotations: Readonly<Record<string, string>>): object {
  const all = Object.entries({ 'ssl-redirect': 'false', ...annotations })
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name,
      namespace,
      annotations: Object.fromEntries(all.map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value])),
    },
    spec: { ingressClassName: 'cases', tls: [{ hosts, secretName: 'cases-tls' }], rules },
  }
}

function rule(host: string, path: string, backend: BackendName): object {
  const service = { name: backend, port: { number: 80 } }
  return { host, http: { paths: [{ path, pathType: 'Prefix', backend: { service } }] } }
}

function service(name: string): object {
  const ports = [{ name: 'http', port: 80, targetPort: 80, protocol: 'TCP' }]
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { type: 'ClusterIP', ports } }
}

function endpointSlice(name: string, port: number): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port, protocol: 'TCP' }],
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
  }
}

function secret({ certificate, key }: IssuedKeyPair): object {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'cases-tls', namespace },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': certificate, 'tls.key': key },
  }
}
