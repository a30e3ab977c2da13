import type { ContenderName } from '../contenders/contender.ts'
import type { Figure, Figures } from '../figures/figure.ts'
import type { Cores } from '../machine/cores.ts'
import type { Processes } from '../machine/processes.ts'

/** One row of the table of what shall be reached: at most `must`, better at most `aim`. */
export interface Requirement {
  readonly what: string
  /** Empty for a ratio. */
  readonly unit: string
  readonly must: number
  readonly aim: number
  /** The figure to judge; undefined when it could not be measured, such as with a peer that is not installed. */
  readonly measured: (figures: Figures) => Figure | undefined
}

/** What a workload is given to run in. One that needs none of it is a function without parameters. */
export interface Bench {
  /** Fewer and shorter blocks, for developers. */
  readonly quick: boolean
  readonly cores: Cores
  /** Those that are installed, ours first. */
  readonly contenders: readonly ContenderName[]
  /** Every process is started here, so that none is left behind. */
  readonly processes: Processes
  /** A folder of this workload's own, removed after it. */
  readonly folder: string
  /** Says what goes on. */
  readonly print: (line: string) => void
}

/** One row of the table of workloads. */
export interface Workload {
  /** As in `make bench ONLY=name,name`. */
  readonly name: string
  /** What is done and what is counted, in one or two sentences for the page of results. */
  readonly what: string
  readonly requirements: readonly Requirement[]
  readonly run: (bench: Bench) => Promise<Figures>
}
