import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Figures } from '../figures/figure.ts'
import type { JudgedRequirement } from '../figures/verdict.ts'
import type { Machine } from '../machine/machine.ts'

export interface WorkloadResult {
  readonly name: string
  readonly what: string
  /** Day of the measurement, as in `2026-03-14`. */
  readonly day: string
  readonly seconds: number
  /** Load average of the machine before the run began: above some tenths it had other things to do. */
  readonly loadBefore: number
  /** Of the time of all processors, what others on the same host took. */
  readonly stolenPercent: number
  readonly requirements: readonly JudgedRequirement[]
  readonly figures: Figures
}

/** What `test/bench/results/latest.json` holds. */
export interface Results {
  readonly machine: Machine
  /** In the order of the table of workloads. */
  readonly workloads: readonly WorkloadResult[]
}

export const resultsFile = join(import.meta.dirname, '../results/latest.json')

/** Undefined before the first run. */
export function readResults(file = resultsFile): Results | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : undefined
}

export function writeResults(results: Results, file = resultsFile): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
}

/**
 * New results beside those of workloads that were not run this time. Results of another machine are not kept: the file
 * speaks of one.
 */
export function mergeResults(known: Results | undefined, fresh: Results, order: readonly string[]): Results {
  const kept = known !== undefined && isDeepStrictEqual(known.machine, fresh.machine) ? known.workloads : []
  const names = new Set(fresh.workloads.map(one => one.name))
  const all = [...fresh.workloads, ...kept.filter(one => !names.has(one.name) && order.includes(one.name))]
  return {
    machine: fresh.machine,
    workloads: all.sort((one, other) => order.indexOf(one.name) - order.indexOf(other.name)),
  }
}
