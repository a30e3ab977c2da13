import type { Figure, Figures, Measurement } from '../figures/figure.ts'
import { measurementOf } from '../figures/figure.ts'
import { figureOf } from '../figures/statistics.ts'
import { measureScale, type ScaleFigures } from '../scale/measure-scale.ts'
import type { Bench, Requirement, Workload } from './workload.ts'

const largest = 10_000
const sizes = [10, 1000, largest]
const quickSizes = [10, 1000]
const workers = [1, 2, 3]
const starts = 3
const changes = 100
const quickChanges = 30
/** Between the start of a proxy and the look at its memory. */
const settleMs = 8_000

const routed = 'endpoint change → first request routed to it'

export const scale: Workload = {
  name: 'scale',
  what: `Through a real kube-apiserver with ${sizes.map(size => size.toLocaleString('en')).join(', ')} Ingresses, as many Services and ten endpoints each: the time from the write of an EndpointSlice to the first request at the new endpoint and to the last one at the removed endpoint, ${changes} of each; cold start from exec to ready with the whole table; resident memory.`,
  requirements: [
    ...sizes.flatMap(size => [
      limit(`${routed}, ${counted(size)}, p50`, 'ms', { must: 10, aim: 3 }),
      limit(`${routed}, ${counted(size)}, p99`, 'ms', { must: 40, aim: 15 }),
    ]),
    limit(`memory, ${counted(largest)} and 100,000 endpoints, one worker`, 'MB', { must: 220, aim: 150 }),
    limit(`cold start, ${counted(largest)} and 100,000 endpoints, one worker`, 's', { must: 4, aim: 2 }),
    limit(`memory of each further worker, ${counted(largest)}`, 'MB', { must: 50, aim: 35 }),
  ],
  run: async bench => figuresOf(await measured(bench)),
}

function measured(bench: Bench): Promise<readonly ScaleFigures[]> {
  return measureScale({
    sizes: bench.quick ? quickSizes : sizes,
    workers,
    starts: bench.quick ? 1 : starts,
    changes: bench.quick ? quickChanges : changes,
    settleMs,
    print: line => bench.print(`  ${line}`),
  })
}

/** What is measured has the name of its requirement. */
function limit(what: string, unit: string, levels: Pick<Requirement, 'must' | 'aim'>): Requirement {
  return { what, unit, ...levels, measured: figures => measurementOf(figures, 'ours', what) }
}

function figuresOf(all: readonly ScaleFigures[]): Figures {
  const failed = all.reduce((sum, { propagation, coldStarts }) => {
    const wrong = coldStarts.reduce((count, { wrongAnswers }) => count + wrongAnswers, 0)
    return sum + (propagation?.failures ?? 0) + wrong
  }, 0)
  return {
    measurements: [...all.flatMap(propagationOf), ...sizesOf(all).flatMap(size => memoryOf(all, size))],
    ratios: [],
    failures: failed === 0 ? [] : [{ contender: 'ours', count: failed, what: 'wrong answer' }],
    remarks: ['The time of a change begins when its write is sent, and most of it is the API server writing it.'],
  }
}

function propagationOf({ ingresses, propagation, propagationInChurn }: ScaleFigures): readonly Measurement[] {
  const rows: Measurement[] = []
  for (const [when, figures] of [
    ['', propagation],
    [', 100 other changes a second', propagationInChurn],
  ] as const) {
    if (figures === undefined) continue
    const size = counted(ingresses)
    rows.push(
      measurement(`${routed}, ${size}, p50${when}`, 'ms', figures.routedP50),
      measurement(`${routed}, ${size}, p99${when}`, 'ms', figures.routedP99),
      measurement(`the same from the API server's answer, ${size}, p50${when}`, 'ms', figures.routedAfterWriteP50),
      measurement(`endpoint change → last request to the removed one, ${size}, p50${when}`, 'ms', figures.removedP50),
      measurement(`endpoint change → last request to the removed one, ${size}, p99${when}`, 'ms', figures.removedP99),
      measurement(`write at the API server, ${size}, p50${when}`, 'ms', figures.writeP50),
    )
  }
  return rows
}

function memoryOf(all: readonly ScaleFigures[], size: number): readonly Measurement[] {
  const ofSize = all.filter(({ ingresses }) => ingresses === size)
  const [one, ...more] = ofSize
  if (one === undefined) return []
  const endpoints = ` and ${(size * 10).toLocaleString('en')} endpoints`
  const rows = [
    measurement(`memory, ${counted(size)}${endpoints}, one worker`, 'MB', one.memory.rss / 1e6),
    {
      ...base(`cold start, ${counted(size)}${endpoints}, one worker`, 's'),
      figure: figureOf(one.coldStarts.map(startSeconds)),
    },
  ]
  const last = more.at(-1)
  if (last === undefined) return rows
  const each = (last.memory.rss - one.memory.rss) / (last.workers - one.workers)
  return [...rows, measurement(`memory of each further worker, ${counted(size)}`, 'MB', each / 1e6)]
}

function startSeconds({ readyMs }: ScaleFigures['coldStarts'][number]): number {
  return readyMs / 1000
}

function sizesOf(all: readonly ScaleFigures[]): readonly number[] {
  return [...new Set(all.map(({ ingresses }) => ingresses))]
}

function measurement(name: string, unit: string, value: number): Measurement {
  const figure: Figure = figureOf([value])
  return { ...base(name, unit), figure }
}

function base(name: string, unit: string): Omit<Measurement, 'figure'> {
  return { contender: 'ours', name, unit }
}

function counted(ingresses: number): string {
  return `${ingresses.toLocaleString('en')} Ingresses`
}
