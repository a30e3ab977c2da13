import type { Requirement } from '../workloads/workload.ts'
import type { Figure, Figures } from './figure.ts'

export type Verdict = 'aim met' | 'must met' | 'missed' | 'not measured'

export interface JudgedRequirement {
  readonly what: string
  readonly unit: string
  readonly must: number
  readonly aim: number
  readonly measured?: Figure
  readonly verdict: Verdict
}

/** The median decides; how sure it is stands beside it. */
export function judge({ what, unit, must, aim, measured }: Requirement, figures: Figures): JudgedRequirement {
  const figure = measured(figures)
  if (figure === undefined) return { what, unit, must, aim, verdict: 'not measured' }
  const verdict = figure.median <= aim ? 'aim met' : figure.median <= must ? 'must met' : 'missed'
  return { what, unit, must, aim, measured: figure, verdict }
}
