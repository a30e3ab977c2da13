import { setTimeout as pause } from 'node:timers/promises'
import { AnsweringPod } from './answering-pod.ts'
import { BenchCluster, ownAddress } from './bench-cluster.ts'
import { type ColdStartFigures, heldEndpoints, startCold } from './cold-start.ts'
import { measurePropagation, type PropagationFigures } from './propagation.ts'
import type { ProcessMemory } from './proxy-process.ts'

export interface ScaleOptions {
  /** Numbers of Ingresses, growing. */
  readonly sizes: readonly number[]
  /** Numbers of data workers to start with at each size; the first is the one whose propagation is measured. */
  readonly workers: readonly number[]
  /** Cold starts of each. */
  readonly starts: number
  /** Endpoints that are replaced at each size. */
  readonly changes: number
  /** Between the last write of many objects and the start of a proxy, and between that and the look at its memory. */
  readonly settleMs: number
  /** Says what goes on. */
  readonly print: (line: string) => void
  /** Called at the end while the cluster is still there. */
  readonly stay?: (kubeconfig: string) => Promise<void>
}

/** What one proxy of so many workers showed at one size. */
export interface ScaleFigures {
  readonly ingresses: number
  readonly workers: number
  readonly coldStarts: readonly ColdStartFigures[]
  /** After it has settled. */
  readonly memory: ProcessMemory
  /** Endpoints that a worker holds. */
  readonly endpoints: number
  readonly propagation?: PropagationFigures
  /** The same while 100 other endpoints change a second. */
  readonly propagationInChurn?: PropagationFigures
  readonly memoryAfterChurn?: ProcessMemory
}

/** Fills a real kube-apiserver step by step and measures the real proxy at each. Takes three minutes for 10,000. */
export async function measureScale(options: ScaleOptions): Promise<readonly ScaleFigures[]> {
  const sentinel = new AnsweringPod('sentinel')
  const address = ownAddress()
  await sentinel.listen(address)
  const cluster = await BenchCluster.start({ address, port: sentinel.port })
  const figures: ScaleFigures[] = []
  try {
    for (const size of options.sizes) {
      const seconds = await cluster.grow(size)
      options.print(`${size} Ingresses there after ${seconds.toFixed(1)} s`)
      // The API server has its own work left to do after so many writes.
      await pause(options.settleMs)
      for (const [index, workers] of options.workers.entries()) {
        figures.push(await measureOne({ cluster, workers, options, propagates: index === 0 }))
      }
    }
    await options.stay?.(cluster.kubeconfig)
  } finally {
    await cluster.stop()
    sentinel.close()
  }
  return figures
}

async function measureOne(of: {
  readonly cluster: BenchCluster
  readonly workers: number
  readonly options: ScaleOptions
  readonly propagates: boolean
}): Promise<ScaleFigures> {
  const { cluster, workers, options } = of
  const say = (what: string, figures: object): void => {
    options.print(`  ${workers} workers, ${what}: ${JSON.stringify(figures, rounded)}`)
  }
  await cluster.configure(workers)
  const coldStarts: ColdStartFigures[] = []
  for (let start = 1; start < options.starts; start++) {
    const cold = await startCold(cluster)
    await cold.proxy.stop()
    coldStarts.push(cold.figures)
  }
  const { proxy, figures: lastStart } = await startCold(cluster)
  coldStarts.push(lastStart)
  try {
    for (const figures of coldStarts) say('cold start', figures)
    await pause(options.settleMs)
    const memory = proxy.memory()
    say('memory', memory)
    const figures = { ingresses: cluster.size, workers, coldStarts, memory }
    if (!of.propagates || options.changes === 0) return { ...figures, endpoints: await heldEndpoints(proxy) }
    const change = { cluster, proxy, changes: options.changes }
    const propagation = await measurePropagation({ ...change, backgroundPerSecond: 0 })
    say('propagation in ms', propagation)
    const propagationInChurn = await measurePropagation({ ...change, backgroundPerSecond: 100 })
    say('propagation in ms under 100 other changes a second', propagationInChurn)
    const memoryAfterChurn = proxy.memory()
    say('memory after that', memoryAfterChurn)
    const endpoints = await heldEndpoints(proxy)
    return { ...figures, endpoints, propagation, propagationInChurn, memoryAfterChurn }
  } finally {
    await proxy.stop()
  }
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value
}
