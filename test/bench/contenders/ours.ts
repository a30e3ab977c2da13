import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Processes, waitFor } from '../machine/processes.ts'
import type { Contender, ProxySetup, RunningProxy } from './contender.ts'
import { startLogged, stderrFile, stdoutFile } from './start-proxy.ts'

const program = join(import.meta.dirname, '../../../dist/ingress-fleet.js')
const hostsPerIngress = 100

export const ours: Contender = {
  name: 'ours',
  package: '',
  version: () => (existsSync(program) ? process.versions.node : undefined),
  start: startOurs,
}

async function startOurs(setup: ProxySetup, processes: Processes): Promise<RunningProxy> {
  const manifests = join(setup.folder, 'manifests')
  mkdirSync(manifests)
  const objects = [ingressDeployment(setup), secret(setup), ...services(setup), ...ingresses(setup)]
  writeFileSync(join(manifests, 'all.yaml'), objects.map(one => JSON.stringify(one)).join('\n---\n'))
  const ports = ['--http-port', '0', '--https-port', '0', '--admin-port', '0', '--workers', '1']
  const started = startLogged(
    { command: [process.execPath, program, 'serve', '-f', manifests, ...ports] },
    setup,
    processes,
  )
  // It says where it listens once it serves the whole table.
  const addresses = /^HTTP\s+http:\S+:(\d+)\s+HTTPS\s+https:\S+:(\d+)\s+dashboard/m
  const match = await waitFor(
    started,
    stderrFile(setup),
    async () => addresses.exec(readFileSync(stdoutFile(setup), 'utf8')) ?? undefined,
  )
  return {
    name: 'ours',
    pid: started.pid,
    httpPort: Number(match[1]),
    httpsPort: Number(match[2]),
    accessLogFile: stdoutFile(setup),
    stop: () => processes.stop(started),
  }
}

const namespace = 'bench'

/** What peers are set to: connections live as long as they like, bodies are not limited. All else is as by default. */
function ingressDeployment({ accessLog }: ProxySetup): object {
  const configuration = {
    accessLog: accessLog ? 'text' : 'off',
    tlsRedirect: false,
    timeouts: { keepAliveSeconds: 3600 },
    limits: { maxBodyBytes: 0, maxRequestsPerConnection: 0 },
    upstreamKeepAlive: { idleSeconds: 3600, maxRequestsPerConnection: 0 },
  }
  return {
    apiVersion: 'ingressfleet.dev/v1alpha1',
    kind: 'IngressDeployment',
    metadata: { name: 'bench', namespace },
    spec: { configuration },
  }
}

function secret({ keyPair }: ProxySetup): object {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'tls', namespace },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': keyPair.certificate, 'tls.key': keyPair.key },
  }
}

function services({ backendPorts, sinkPort }: ProxySetup): readonly object[] {
  // A slice names one port for all of its endpoints, and these differ by their ports.
  const slices = [
    ...backendPorts.map((port, index) => slice(`app-${index}`, 'app', port)),
    slice('sink-0', 'sink', sinkPort),
  ]
  return [service('app'), service('sink'), ...slices]
}

function service(name: string): object {
  const ports = [{ name: 'http', port: 80 }]
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { ports } }
}

function slice(name: string, of: string, port: number): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': of } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port, protocol: 'TCP' }],
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
  }
}

function ingresses({ hosts }: ProxySetup): readonly object[] {
  const count = Math.ceil(hosts.length / hostsPerIngress)
  return Array.from({ length: count }, (_, index) => {
    const some = hosts.slice(index * hostsPerIngress, (index + 1) * hostsPerIngress)
    const tls = index === 0 ? { tls: [{ hosts: some.slice(0, 1), secretName: 'tls' }] } : {}
    const rules = some.map(host => rule(host, host === hosts[0]))
    return {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: `hosts-${index}`, namespace },
      spec: { ingressClassName: 'bench', ...tls, rules },
    }
  })
}

function rule(host: string, hasSink: boolean): object {
  const path = (text: string, name: string): object => ({
    path: text,
    pathType: 'Prefix',
    backend: { service: { name, port: { name: 'http' } } },
  })
  const sink = hasSink ? [path('/upload', 'sink'), path('/ws', 'sink')] : []
  return { host, http: { paths: [path('/', 'app'), ...sink] } }
}
