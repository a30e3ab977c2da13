import { readdirSync, readFileSync } from 'node:fs'
import { processTree } from './process-tree.ts'

/** The kernel's unit in `/proc/PID/stat`, the same on every Linux. */
const tickNs = 10_000_000

/** What the kernel has counted for a process and its children up to now. */
export interface CpuReading {
  readonly threads: ReadonlyMap<number, number>
  /** Of whole processes, ended threads included, in ticks. */
  readonly userTicks: number
  readonly systemTicks: number
}

export interface CpuTime {
  readonly totalNs: number
  readonly userNs: number
  readonly systemNs: number
}

/** Threads are counted in nanoseconds, the split into user and system in ticks of 10 ms. */
export function readCpu(pid: number): CpuReading {
  const threads = new Map<number, number>()
  let userTicks = 0
  let systemTicks = 0
  for (const one of processTree(pid)) {
    const stat = readFileSync(`/proc/${one}/stat`, 'utf8')
    // The name of the program, in brackets, may hold anything; utime and stime are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    userTicks += Number(fields[11])
    systemTicks += Number(fields[12])
    for (const thread of readdirSync(`/proc/${one}/task`)) {
      const ns = threadNs(one, thread)
      if (ns !== undefined) threads.set(Number(thread), ns)
    }
  }
  return { threads, userTicks, systemTicks }
}

/** CPU time between two readings. Where a thread has ended in between, whole processes are counted, in ticks. */
export function cpuBetween(before: CpuReading, after: CpuReading): CpuTime {
  const userTicks = after.userTicks - before.userTicks
  const systemTicks = after.systemTicks - before.systemTicks
  let totalNs = 0
  for (const [thread, ns] of after.threads) totalNs += ns - (before.threads.get(thread) ?? 0)
  const lostThread = [...before.threads.keys()].some(thread => !after.threads.has(thread))
  if (lostThread) totalNs = Math.max(totalNs, (userTicks + systemTicks) * tickNs)
  const userShare = userTicks + systemTicks === 0 ? 0 : userTicks / (userTicks + systemTicks)
  return { totalNs, userNs: totalNs * userShare, systemNs: totalNs * (1 - userShare) }
}

function threadNs(pid: number, thread: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
  } catch {
    return undefined
  }
}
