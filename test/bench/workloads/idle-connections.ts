import { setTimeout as delay } from 'node:timers/promises'
import type { ContenderName } from '../contenders/contender.ts'
import { figuresOfBlocks, type Sample } from '../figures/blocks.ts'
import { type Failure, type Figures, measurementOf } from '../figures/figure.ts'
import { holdGenerator } from '../load/run-generator.ts'
import { residentBytes } from '../machine/memory.ts'
import { closedLoop } from './closed-loop.ts'
import { summaryOf } from './cost.ts'
import { usualHosts, withFleet } from './fleet.ts'
import { usualConnections } from './small-answers.ts'
import type { Bench, Workload } from './workload.ts'

const kinds = {
  plain: { name: 'plain connection', connections: 2000, quickConnections: 500 },
  tls: { name: 'TLS connection', connections: 1000, quickConnections: 250 },
} as const
const fullBlocks = 2
/** For memory to be given back, or taken, after what happened last. */
const settleMs = 1500

export const idleConnections: Workload = {
  name: 'idle',
  what: `Resident memory that ${kinds.plain.connections} plain, or ${kinds.tls.connections} TLS, keep-alive connections add which have been answered once and wait, each measured in a fresh process after a warm-up.`,
  requirements: [
    {
      what: 'idle keep-alive connection, plain',
      unit: 'KB',
      must: 12,
      aim: 6,
      measured: figures => measurementOf(figures, 'ours', kinds.plain.name),
    },
    {
      what: 'idle keep-alive connection, TLS',
      unit: 'KB',
      must: 70,
      aim: 40,
      measured: figures => measurementOf(figures, 'ours', kinds.tls.name),
    },
  ],
  run: async bench => {
    const failures: Failure[] = []
    const blocks: Map<string, Sample[]>[] = []
    for (let index = 0; index < (bench.quick ? 1 : fullBlocks); index++) {
      const block = new Map<string, Sample[]>()
      for (const name of bench.contenders) block.set(name, [await sampleOf(bench, name, failures)])
      blocks.push(block)
      for (const { name } of Object.values(kinds)) bench.print(`  block ${index + 1}: ${summaryOf(block, name, 'KB')}`)
    }
    return { ...figuresOf(bench, blocks), failures, remarks: [] }
  },
}

function figuresOf(bench: Bench, blocks: Map<string, Sample[]>[]): Pick<Figures, 'measurements' | 'ratios'> {
  const rows = Object.values(kinds).map(({ name }) => ({ name, unit: 'KB', compared: true }))
  const pairs = bench.contenders.filter(name => name !== 'ours').map(to => ({ of: 'ours', to }))
  return figuresOfBlocks(blocks, rows, pairs)
}

async function sampleOf(bench: Bench, contender: ContenderName, failures: Failure[]): Promise<Sample> {
  const sample: Record<string, number> = {}
  for (const kind of Object.keys(kinds) as (keyof typeof kinds)[]) {
    const { bytes, lost } = await bytesPerConnection(bench, contender, kind)
    sample[kinds[kind].name] = bytes / 1000
    if (lost > 0) failures.push({ contender, count: lost, what: 'closed' })
  }
  return sample
}

/** A process of its own for each: memory that was taken once is not given back for the next. */
async function bytesPerConnection(
  bench: Bench,
  contender: ContenderName,
  kind: keyof typeof kinds,
): Promise<{ readonly bytes: number; readonly lost: number }> {
  const connections = bench.quick ? kinds[kind].quickConnections : kinds[kind].connections
  const arm = { label: contender, contender }
  const tls = kind === 'tls'
  return withFleet(bench, [arm], async ({ proxies }) => {
    const proxy = proxies.get(contender)
    if (proxy === undefined) throw new Error(`there is no proxy ${contender}`)
    const seconds = contender === 'ours' ? 3 : 1
    await closedLoop(bench, { path: '/', connections: usualConnections, tls }, { proxy, arm, seconds })
    await delay(settleMs)
    const before = residentBytes(proxy.pid)
    const [host] = usualHosts
    const options = { port: tls ? proxy.httpsPort : proxy.httpPort, host, connections, tls }
    const held = await holdGenerator('idle', options, { core: bench.cores.load, processes: bench.processes })
    await delay(settleMs)
    const after = residentBytes(proxy.pid)
    const { open } = (await held.release()) as { readonly open: number }
    return { bytes: (after - before) / connections, lost: connections - open }
  })
}
