import { type FigureRow, figuresOfBlocks, orderOfBlock, type Sample } from '../figures/blocks.ts'
import { type Failure, type Figures, ratioOf } from '../figures/figure.ts'
import { echoPath } from '../load/backend.ts'
import type { OpenLoopOptions, OpenLoopResult } from '../load/open-loop.ts'
import { runGenerator } from '../load/run-generator.ts'
import { cpuBetween, readCpu } from '../machine/cpu-time.ts'
import { closedLoop } from './closed-loop.ts'
import { summaryOf } from './cost.ts'
import { armPerContender, type Fleet, usualHosts, withFleet } from './fleet.ts'
import { usualConnections } from './small-answers.ts'
import type { Bench, Workload } from './workload.ts'

/** The backend asked without any proxy: what generator, backend and kernel take by themselves. */
const direct = 'no proxy'
const fullBlocks = 3

const rows: readonly FigureRow[] = [
  { name: 'p50', unit: 'µs', compared: true },
  { name: 'p99', unit: 'µs', compared: true },
  { name: 'p99.9', unit: 'µs', compared: true },
  { name: 'sent late, p99', unit: 'µs', compared: false },
  { name: 'CPU per request', unit: 'µs', compared: true },
]

export const latency: Workload = {
  name: 'latency',
  what: `Small answers at half of what nginx could do a moment before, by an open-loop schedule over ${usualConnections} connections; latency counts from when a request was due.`,
  requirements: [
    {
      what: "p99 at half of nginx's capacity, vs nginx",
      unit: '',
      must: 2,
      aim: 1.3,
      measured: figures => ratioOf(figures, 'p99', { of: 'ours', to: 'nginx' }),
    },
  ],
  run: bench => withFleet(bench, armPerContender(bench), fleet => measure(bench, fleet)),
}

async function measure(bench: Bench, fleet: Fleet): Promise<Figures> {
  const requestsPerSecond = Math.round((await capacityOfNginx(bench, fleet)) / 2)
  bench.print(`  at ${requestsPerSecond} requests per second`)
  await openLoop(bench, fleet, { label: 'ours', requestsPerSecond, seconds: bench.quick ? 1 : 6 })
  const failures: Failure[] = []
  const blocks: Map<string, Sample[]>[] = []
  for (let index = 0; index < (bench.quick ? 1 : fullBlocks); index++) {
    const block = new Map<string, Sample[]>()
    for (const label of orderOfBlock([...bench.contenders, direct])) {
      const { result, cpuNs } = await openLoop(bench, fleet, { label, requestsPerSecond, seconds: bench.quick ? 2 : 4 })
      for (const [what, count] of Object.entries(result.failures)) {
        if (count > 0) failures.push({ contender: label, count, what })
      }
      block.set(label, [...(block.get(label) ?? []), sampleOf(result, cpuNs)])
    }
    blocks.push(block)
    bench.print(`  block ${index + 1}: ${summaryOf(block, 'p99', 'µs')}`)
  }
  const pairs = bench.contenders.filter(name => name !== 'ours').map(to => ({ of: 'ours', to }))
  const remarks = [
    `The rate was ${requestsPerSecond} requests per second.`,
    ...slowOnes(failures).map(
      name => `${name} did not keep up with this rate, so its latencies say no more than that.`,
    ),
  ]
  return { ...figuresOfBlocks(blocks, rows, pairs), failures, remarks }
}

async function capacityOfNginx(bench: Bench, { proxies }: Fleet): Promise<number> {
  const proxy = proxies.get('nginx')
  if (proxy === undefined) throw new Error('there is no nginx to take the rate from')
  const loop = { path: echoPath, connections: usualConnections }
  const arm = { label: 'nginx', contender: 'nginx' } as const
  const { requests, seconds } = await closedLoop(bench, loop, { proxy, arm, seconds: bench.quick ? 1 : 4 })
  return requests / seconds
}

interface Turn {
  readonly label: string
  readonly requestsPerSecond: number
  readonly seconds: number
}

async function openLoop(
  bench: Bench,
  { proxies, backendPorts }: Fleet,
  { label, requestsPerSecond, seconds }: Turn,
): Promise<{ readonly result: OpenLoopResult; readonly cpuNs: number | undefined }> {
  const proxy = proxies.get(label)
  const [host] = usualHosts
  const options: OpenLoopOptions = {
    port: proxy?.httpPort ?? backendPorts[0] ?? 0,
    host,
    path: echoPath,
    requestsPerSecond,
    connections: usualConnections,
    warmupSeconds: bench.quick ? 0.5 : 1,
    seconds,
    graceMs: 5000,
  }
  const before = proxy === undefined ? undefined : readCpu(proxy.pid)
  const result = await runGenerator('open-loop', options, { core: bench.cores.load, processes: bench.processes })
  if (proxy === undefined || before === undefined) return { result, cpuNs: undefined }
  const requests = requestsPerSecond * options.warmupSeconds + result.answered
  return { result, cpuNs: cpuBetween(before, readCpu(proxy.pid)).totalNs / requests }
}

function sampleOf({ latencyUs, sendDelayP99Us }: OpenLoopResult, cpuNs: number | undefined): Sample {
  return {
    p50: latencyUs.p50,
    p99: latencyUs.p99,
    'p99.9': latencyUs.p999,
    'sent late, p99': sendDelayP99Us,
    ...(cpuNs === undefined ? {} : { 'CPU per request': cpuNs / 1000 }),
  }
}

function slowOnes(failures: readonly Failure[]): readonly string[] {
  return [...new Set(failures.filter(({ what }) => what === 'unsent').map(({ contender }) => contender))]
}
