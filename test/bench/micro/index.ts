import { bodyCases, headCases } from './head-cases.ts'
import type { MicroCase } from './micro-case.ts'
import { proxyCases } from './proxy-cases.ts'
import { routingCases } from './routing-cases.ts'

/** Every hot function: one row each, in its group. */
export function microCases(): readonly MicroCase[] {
  return [...headCases(), ...bodyCases(), ...routingCases(), ...proxyCases()]
}
