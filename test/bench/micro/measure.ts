import { medianOf } from '../figures/statistics.ts'
import type { MicroCase } from './micro-case.ts'

export interface MicroFigure {
  readonly nsPerCall: number
  /** Least and most of the samples. */
  readonly minNs: number
  readonly maxNs: number
  /** Octets that one call leaves to the garbage collector; undefined without `--expose-gc`. */
  readonly bytesPerCall: number | undefined
}

const samples = 15
const sampleNs = 8_000_000
const warmupNs = 60_000_000
/** Few enough that no collection comes in between. */
const allocatingCalls = 400

/** Calls it until it is compiled, then takes the median of some samples of some milliseconds. */
export function measure({ call }: MicroCase): MicroFigure {
  let calls = 64
  let warmed = 0
  let took = 0
  while (warmed < warmupNs || took < sampleNs / 2) {
    took = run(call, calls)
    warmed += took
    if (took < sampleNs) calls *= 2
  }
  calls = Math.max(1, Math.round((calls * sampleNs) / took))
  const perCall = Array.from({ length: samples }, () => run(call, calls) / calls).sort((one, other) => one - other)
  return {
    nsPerCall: medianOf(perCall),
    minNs: perCall[0] ?? 0,
    maxNs: perCall.at(-1) ?? 0,
    bytesPerCall: allocated(call),
  }
}

/** What was computed last, where the compiler cannot see that nobody reads it. */
let sink: unknown

/** CPU time of this thread in nanoseconds, which a busy machine does not change much. */
function run(call: MicroCase['call'], calls: number): number {
  const beforeUs = threadCpuUs()
  for (let index = 0; index < calls; index++) sink = call(index)
  return (threadCpuUs() - beforeUs) * 1000
}

function threadCpuUs(): number {
  // Without this the kernel gives the time up to its last tick only, which may be milliseconds ago.
  process.cpuUsage()
  const { user, system } = process.threadCpuUsage()
  return user + system
}

function allocated(call: MicroCase['call']): number | undefined {
  const { gc } = globalThis
  if (gc === undefined) return undefined
  const runs = Array.from({ length: 5 }, () => {
    gc()
    const before = process.memoryUsage().heapUsed
    run(call, allocatingCalls)
    return (process.memoryUsage().heapUsed - before) / allocatingCalls
  }).sort((one, other) => one - other)
  // Reading the heap allocates some hundred octets by itself.
  return Math.max(0, Math.round(medianOf(runs) - overhead() / allocatingCalls))
}

function overhead(): number {
  const before = process.memoryUsage().heapUsed
  return Math.max(0, process.memoryUsage().heapUsed - before)
}

export function lastResult(): unknown {
  return sink
}
