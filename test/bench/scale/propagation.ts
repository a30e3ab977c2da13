import { setTimeout as pause } from 'node:timers/promises'
import { resources } from '../../../src/kube/resource.ts'
import { quantile } from '../figures/statistics.ts'
import { AnsweringPod } from './answering-pod.ts'
import { type BenchCluster, ownAddress } from './bench-cluster.ts'
import { benchClass, benchNamespace, endpointSlice, sliceOf } from './population.ts'
import { note, Prober } from './prober.ts'
import type { ProxyProcess } from './proxy-process.ts'

/** All in milliseconds, from the moment when the write is sent. */
export interface PropagationFigures {
  readonly changes: number
  /** The first answer of an endpoint that was added. */
  readonly routedP50: number
  readonly routedP99: number
  /** The same from the moment when the API server had answered: below zero when the watch was faster than the answer. */
  readonly routedAfterWriteP50: number
  /** The last request that an endpoint got which was removed. */
  readonly removedP50: number
  readonly removedP99: number
  /** How long the API server took for the write. */
  readonly writeP50: number
  /** Probes that were not answered by a pod. */
  readonly failures: number
}

const probeHost = 'probe.example.com'
const limitMs = 10_000

export interface PropagationOptions {
  readonly cluster: BenchCluster
  readonly proxy: ProxyProcess
  /** Endpoints added, and as many removed. */
  readonly changes: number
  /** Other endpoints that change meanwhile. */
  readonly backgroundPerSecond: number
}

/** Adds and removes the second of two endpoints of a backend, and sees when the proxy heeds it. */
export async function measurePropagation(options: PropagationOptions): Promise<PropagationFigures> {
  const { cluster, proxy } = options
  const address = ownAddress()
  const pods = { a: new AnsweringPod('a'), b: new AnsweringPod('b') }
  await Promise.all([pods.a.listen(address), pods.b.listen(address)])
  await createProbe(cluster, { address, port: pods.a.port })
  const prober = new Prober(proxy.httpPort, probeHost)
  const background = startBackground(cluster, options.backgroundPerSecond)
  try {
    await until(() => prober.read(note.lastA) > 0n)
    const failedBefore = prober.read(note.failures)
    const rounds: Round[] = []
    for (let round = 0; round < options.changes; round++)
      rounds.push(await addAndRemove({ cluster, prober, pods, address }))
    return figuresOf(rounds, Number(prober.read(note.failures) - failedBefore))
  } finally {
    await background.stop()
    await prober.stop()
    pods.a.close()
    pods.b.close()
  }
}

interface Round {
  readonly routedMs: number
  readonly routedAfterWriteMs: number
  readonly removedMs: number
  readonly writeMs: number
}

async function addAndRemove(of: {
  cluster: BenchCluster
  prober: Prober
  pods: { readonly b: AnsweringPod }
  address: string
}): Promise<Round> {
  const { cluster, prober, pods, address } = of
  const write = async (addresses: readonly string[]): Promise<readonly [sent: bigint, answered: bigint]> => {
    const object = endpointSlice({ name: 'probe-b', service: 'probe', port: pods.b.port, addresses })
    const sent = process.hrtime.bigint()
    await cluster.client.replace(resources.endpointSlices, object)
    return [sent, process.hrtime.bigint()]
  }
  prober.await('b')
  const [sent, answered] = await write([address])
  await until(() => prober.read(note.firstAnswer) > 0n)
  const first = prober.read(note.firstAnswer)
  await pause(20 + Math.random() * 20)
  const [removed] = await write([])
  // Alternating with the other endpoint it would have had a dozen requests in this time.
  await until(() => process.hrtime.bigint() - maximum(pods.b.lastRequestNs, removed) > 30_000_000n)
  const last = maximum(pods.b.lastRequestNs, removed)
  await pause(Math.random() * 20)
  return {
    routedMs: milliseconds(first - sent),
    routedAfterWriteMs: milliseconds(first - answered),
    removedMs: milliseconds(last - removed),
    writeMs: milliseconds(answered - sent),
  }
}

async function createProbe(cluster: BenchCluster, first: { address: string; port: number }): Promise<void> {
  const metadata = { namespace: benchNamespace, name: 'probe' }
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { clusterIP: 'None', ports: [{ name: 'http', port: 80 }] },
  }
  const backend = { service: { name: 'probe', port: { number: 80 } } }
  const paths = [{ path: '/', pathType: 'Prefix', backend }]
  const ingress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata,
    spec: { ingressClassName: benchClass, rules: [{ host: probeHost, http: { paths } }] },
  }
  const slice = { service: 'probe', port: first.port }
  await cluster.put(resources.services, service)
  await cluster.put(resources.ingresses, ingress)
  await cluster.put(resources.endpointSlices, endpointSlice({ ...slice, name: 'probe-a', addresses: [first.address] }))
  await cluster.put(resources.endpointSlices, endpointSlice({ ...slice, name: 'probe-b', addresses: [] }))
}

/** Moves one endpoint of another backend at a time, at a steady rate. */
function startBackground(cluster: BenchCluster, perSecond: number): { readonly stop: () => Promise<void> } {
  const pending = new Set<Promise<unknown>>()
  let written = 0
  const startedMs = performance.now()
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) / 1000) * perSecond)
    for (; written < due && pending.size < 50; written++) {
      const index = 1 + (written % Math.max(1, Math.min(400, cluster.size - 2)))
      const write = cluster.client
        .replace(resources.endpointSlices, sliceOf(index, { address: '', port: 0 }, 1 + (written % 1000)))
        .finally(() => pending.delete(write))
      pending.add(write)
    }
  }, 5)
  return {
    async stop() {
      clearInterval(timer)
      await Promise.all(pending)
    },
  }
}

function figuresOf(rounds: readonly Round[], failures: number): PropagationFigures {
  const of = (field: keyof Round, share: number): number =>
    quantile(
      rounds.map(round => round[field]),
      share,
    )
  return {
    changes: rounds.length,
    routedP50: of('routedMs', 0.5),
    routedP99: of('routedMs', 0.99),
    routedAfterWriteP50: of('routedAfterWriteMs', 0.5),
    removedP50: of('removedMs', 0.5),
    removedP99: of('removedMs', 0.99),
    writeP50: of('writeMs', 0.5),
    failures,
  }
}

async function until(isSo: () => boolean): Promise<void> {
  const startedMs = performance.now()
  while (!isSo()) {
    if (performance.now() - startedMs > limitMs) throw new Error(`a change was not heeded within ${limitMs} ms`)
    await pause(1)
  }
}

function maximum(one: bigint, other: bigint): bigint {
  return one > other ? one : other
}

function milliseconds(ns: bigint): number {
  return Number(ns) / 1e6
}
