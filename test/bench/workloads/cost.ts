import type { RunningProxy } from '../contenders/contender.ts'
import { type Blocks, type FigureRow, figuresOfBlocks, orderOfBlock, type Sample } from '../figures/blocks.ts'
import type { Failure, Figures } from '../figures/figure.ts'
import { cpuBetween, readCpu } from '../machine/cpu-time.ts'
import { type Arm, emptyAccessLog, type Fleet, withFleet } from './fleet.ts'
import type { Bench } from './workload.ts'

/** What was done in one sample. */
export interface LoadResult {
  /** In the unit that the cost is counted by. */
  readonly count: number
  readonly seconds: number
  readonly failures: Readonly<Record<string, number>>
}

export interface CostWorkload {
  readonly arms: readonly Arm[]
  /** Blocks of a full run. */
  readonly blocks: number
  /** What one unit is called, as in `request` or `GiB`. */
  readonly per: string
  /** Of the cost: `µs` or `ms`. */
  readonly unit: 'µs' | 'ms'
  readonly load: (proxy: RunningProxy, arm: Arm, seconds: number) => Promise<LoadResult>
  /** Arms to compare; without it `ours` with every other contender. */
  readonly pairs?: readonly { readonly of: string; readonly to: string }[]
}

const nsPerUnit = { µs: 1e3, ms: 1e6 } as const

/** What a unit of work costs each arm in CPU time, and how many a second it does, measured in turn in A B B A blocks. */
export async function measureCost(bench: Bench, workload: CostWorkload): Promise<Figures> {
  return withFleet(bench, workload.arms, async fleet => {
    await warmUp(bench, workload, fleet)
    const failures: Failure[] = []
    const blocks: Map<string, Sample[]>[] = []
    for (let index = 0; index < (bench.quick ? 1 : workload.blocks); index++) {
      const block = new Map<string, Sample[]>()
      for (const label of orderOfBlock(workload.arms.map(arm => arm.label))) {
        const sample = await sampleOf(bench, workload, { fleet, label, failures })
        block.set(label, [...(block.get(label) ?? []), sample])
      }
      blocks.push(block)
      bench.print(`  block ${index + 1}: ${summaryOf(block, costName(workload), workload.unit)}`)
    }
    return { ...figuresOf(workload, blocks), failures, remarks: [] }
  })
}

const warmup = { seconds: 6, requests: 60_000, maxSeconds: 30 } as const

/**
 * Ours is compiled while it runs, after so many calls: it takes longer than the others to be as it stays, and longer
 * still on a busy machine.
 */
async function warmUp(bench: Bench, workload: CostWorkload, { proxies }: Fleet): Promise<void> {
  for (const arm of workload.arms) {
    const proxy = proxies.get(arm.label)
    if (proxy === undefined) continue
    if (arm.contender !== 'ours') await workload.load(proxy, arm, 1)
    else if (bench.quick) await workload.load(proxy, arm, 2)
    else await warmUpOurs(workload, proxy, arm)
  }
}

async function warmUpOurs(workload: CostWorkload, proxy: RunningProxy, arm: Arm): Promise<void> {
  const enough = workload.per === 'request' ? warmup.requests : 0
  let count = 0
  for (let seconds = 0; seconds < warmup.maxSeconds; seconds += warmup.seconds) {
    count += (await workload.load(proxy, arm, warmup.seconds)).count
    if (count >= enough) return
  }
}

interface Turn {
  readonly fleet: Fleet
  readonly label: string
  readonly failures: Failure[]
}

async function sampleOf(bench: Bench, workload: CostWorkload, { fleet, label, failures }: Turn): Promise<Sample> {
  const arm = workload.arms.find(one => one.label === label)
  const proxy = fleet.proxies.get(label)
  if (arm === undefined || proxy === undefined) throw new Error(`there is no proxy ${label} in this workload`)
  const before = readCpu(proxy.pid)
  const result = await workload.load(proxy, arm, bench.quick ? 1 : 2)
  const cpu = cpuBetween(before, readCpu(proxy.pid))
  emptyAccessLog(proxy)
  for (const [what, count] of Object.entries(result.failures))
    if (count > 0) failures.push({ contender: label, count, what })
  if (result.count === 0) throw new Error(`${label} answered nothing`)
  const cost = (ns: number): number => ns / nsPerUnit[workload.unit] / result.count
  return {
    [costName(workload)]: cost(cpu.totalNs),
    [userName]: cost(cpu.userNs),
    [systemName]: cost(cpu.systemNs),
    [rateName(workload)]: result.count / result.seconds,
  }
}

const userName = 'of that in user mode'
const systemName = 'of that in the kernel'

export function costName({ per }: Pick<CostWorkload, 'per'>): string {
  return `CPU per ${per}`
}

function rateName({ per }: CostWorkload): string {
  return `${per === 'GiB' ? 'GiB' : `${per}s`} per second`
}

function figuresOf(workload: CostWorkload, blocks: Blocks): Pick<Figures, 'measurements' | 'ratios'> {
  const { arms, unit } = workload
  const rows: readonly FigureRow[] = [
    { name: costName(workload), unit, compared: true },
    { name: userName, unit, compared: true },
    { name: systemName, unit, compared: true },
    { name: rateName(workload), unit: '', compared: true },
  ]
  const others = arms.filter(arm => arm.contender !== 'ours').map(({ label }) => ({ of: 'ours', to: label }))
  return figuresOfBlocks(blocks, rows, workload.pairs ?? others)
}

export function summaryOf(block: ReadonlyMap<string, readonly Sample[]>, name: string, unit: string): string {
  const parts = [...block].map(([label, samples]) => {
    const values = samples.map(sample => (sample[name] ?? Number.NaN).toPrecision(3))
    return `${label} ${values.join(' and ')}`
  })
  return `${name} in ${unit}: ${parts.join(', ')}`
}
