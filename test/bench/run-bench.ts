import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ContenderName } from './contenders/contender.ts'
import { contenderNames, contenders } from './contenders/index.ts'
import { programVersion } from './contenders/program-version.ts'
import { judge } from './figures/verdict.ts'
import { type Cores, chooseCores } from './machine/cores.ts'
import { describeMachine, readProcessorTime, stolenPercent } from './machine/machine.ts'
import { Processes } from './machine/processes.ts'
import type { Results, WorkloadResult } from './report/results.ts'
import { workloads } from './workloads/index.ts'
import type { Workload } from './workloads/workload.ts'

export interface BenchOptions {
  /** Names of workloads; all of them when it is empty. */
  readonly only: readonly string[]
  /** One short block of each. */
  readonly quick: boolean
  readonly print: (line: string) => void
}

export interface BenchRun extends Results {
  /** Workloads that could not be measured, with the reason. */
  readonly broken: readonly string[]
}

/** Where a developer has nothing else to read. */
export class MissingProgram extends Error {}

/** Runs workloads one after another. Whatever happens, no process and no file is left behind. */
export async function runBench(options: BenchOptions): Promise<BenchRun> {
  const { print, quick } = options
  const chosen = chooseWorkloads(options.only)
  const versions = findPrograms(print)
  const cores = chooseCores()
  const loadBefore = Math.round((loadavg()[0] ?? 0) * 10) / 10
  printLayout(cores, loadBefore, print)
  const processes = new Processes()
  const folder = mkdtempSync(join(tmpdir(), 'ingress-fleet-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const done: WorkloadResult[] = []
  const broken: string[] = []
  for (const workload of chosen) {
    const own = join(folder, workload.name)
    mkdirSync(own)
    const present = contenderNames.filter(name => versions[name] !== undefined)
    print(`${workload.name}: ${workload.what}`)
    try {
      const bench = { quick, cores, contenders: present, processes, folder: own, print }
      done.push({ ...(await runWorkload(workload, bench)), loadBefore })
    } catch (error) {
      broken.push(`${workload.name}: ${error instanceof Error ? error.message : String(error)}`)
      print(`  FAILED ${broken.at(-1)}`)
    }
    processes.killAll()
    rmSync(own, { recursive: true, force: true })
  }
  return { machine: describeMachine(versions), workloads: done, broken }
}

async function runWorkload(
  workload: Workload,
  bench: Parameters<Workload['run']>[0],
): Promise<Omit<WorkloadResult, 'loadBefore'>> {
  const { name, what, requirements } = workload
  const startedMs = performance.now()
  const before = readProcessorTime()
  const figures = await workload.run(bench)
  for (const { contender, count, what: kind } of figures.failures) bench.print(`  ${contender}: ${count} × ${kind}`)
  return {
    name,
    what,
    day: new Date().toISOString().slice(0, 10),
    seconds: Math.round((performance.now() - startedMs) / 1000),
    stolenPercent: stolenPercent(before, readProcessorTime()),
    requirements: requirements.map(requirement => judge(requirement, figures)),
    figures,
  }
}

export function chooseWorkloads(only: readonly string[]): readonly Workload[] {
  const names = workloads.map(workload => workload.name)
  const unknown = only.filter(name => !names.includes(name))
  if (unknown.length > 0) {
    throw new MissingProgram(`there is no workload ${unknown.join(', ')}; there are ${names.join(', ')}`)
  }
  return only.length === 0 ? workloads : workloads.filter(workload => only.includes(workload.name))
}

function findPrograms(print: (line: string) => void): Partial<Record<ContenderName | 'wrk', string>> {
  const versions: Partial<Record<ContenderName | 'wrk', string>> = {}
  const wrk = programVersion(['wrk', '-v'], /^wrk (?:debian\/)?(\S+)/)
  if (wrk === undefined) throw new MissingProgram('wrk is not installed; on Debian: apt-get install wrk')
  for (const name of contenderNames) {
    const version = contenders[name].version()
    if (version !== undefined) versions[name] = version
    else if (name === 'ours') throw new MissingProgram('the proxy is not built; run `make build`')
    else if (name === 'nginx') {
      throw new MissingProgram('nginx is not installed, which is also the backend; on Debian: apt-get install nginx')
    } else print(`${name} is not installed and is left out; on Debian: apt-get install ${contenders[name].package}`)
  }
  return { ...versions, wrk }
}

function printLayout({ proxy, load, apart }: Cores, loadBefore: number, print: (line: string) => void): void {
  if (apart) print(`proxy on processor ${proxy}, generator and backend on processor ${load}`)
  else print('only one processor: proxy, generator and backend share it, so only CPU per request says something')
  if (loadBefore > 0.5) print(`the machine is busy (load ${loadBefore}): take no figure of this run for a result`)
}
