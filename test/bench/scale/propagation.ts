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
  readonly changes: number
  /** Other endpoints that change meanwhile. */
  readonly backgroundPerSecond: number
}

/** Replaces the only endpoint of a backend by another, again and again, and sees when the proxy heeds it. */
export async function measurePropagation(options: PropagationOptions): Promise<PropagationFigures> {
  const { cluster, proxy } = options
  const address = ownAddress()
  const pods = [new AnsweringPod('a'), new AnsweringPod('b')] as const
  await Promise.all(pods.map(pod => pod.listen(address)))
  await createProbe(cluster, { address, port: pods[0].port })
  const prober = new Prober(proxy.httpPort, probeHost)
  const background = startBackground(cluster, options.backgroundPerSecond)
  try {
    await until(() => prober.read(note.lastA) > 0n)
    const failedBefore = prober.read(note.failures)
    const rounds: Round[] = []
    for (let round = 0; round < options.changes; round++) {
      const [before, after] = round % 2 === 0 ? pods : [pods[1], pods[0]]
      rounds.push(await replaceEndpoint({ cluster, prober, address, before, after }))
    }
    return figuresOf(rounds, Number(prober.read(note.failures) - failedBefore))
  } finally {
    await background.stop()
    await prober.stop()
    for (const pod of pods) pod.close()
  }
}

interface Round {
  readonly routedMs: number
  readonly routedAfterWriteMs: number
  readonly removedMs: number
  readonly writeMs: number
}

async function replaceEndpoint(of: {
  cluster: BenchCluster
  prober: Prober
  address: string
  before: AnsweringPod
  after: AnsweringPod
}): Promise<Round> {
  const { cluster, prober, address, before, after } = of
  const object = probeSlice({ address, port: after.port })
  prober.await(after.name)
  const sent = process.hrtime.bigint()
  await cluster.client.replace(resources.endpointSlices, object)
  const answered = process.hrtime.bigint()
  await until(() => prober.read(note.firstAnswer) > 0n)
  const first = prober.read(note.firstAnswer)
  // With one probe a millisecond it would have had dozens of requests in this time.
  await until(() => process.hrtime.bigint() - maximum(before.lastRequestNs, sent) > 30_000_000n)
  const last = maximum(before.lastRequestNs, sent)
  await pause(Math.random() * 20)
  return {
    routedMs: milliseconds(first - sent),
    routedAfterWriteMs: milliseconds(first - answered),
    removedMs: milliseconds(last - sent),
    writeMs: milliseconds(answered - sent),
  }
}

function probeSlice({ address, port }: { address: string; port: number }) {
  return endpointSlice({ name: 'probe', service: 'probe', port, addresses: [address] })
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
  await cluster.put(resources.services, service)
  await cluster.put(resources.ingresses, ingress)
  await cluster.put(resources.endpointSlices, probeSlice(first))
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
