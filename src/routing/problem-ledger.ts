import type { Problem } from '../api/problem.ts'
import { compareText } from './compare-text.ts'

export interface ProblemChanges {
  readonly added: readonly Problem[]
  readonly resolved: readonly Problem[]
}

/** The problems there are, by the unit (an Ingress, a host, a backend …) whose evaluation found them. */
export class ProblemLedger {
  readonly #ofUnit = new Map<string, readonly Problem[]>()
  /** Problems before the change under way, of the units that it touched. */
  #before = new Map<string, readonly Problem[]>()

  set(unit: string, problems: readonly Problem[]): void {
    const known = this.#ofUnit.get(unit)
    if (known === undefined && problems.length === 0) return
    if (!this.#before.has(unit)) this.#before.set(unit, known ?? [])
    if (problems.length === 0) this.#ofUnit.delete(unit)
    else this.#ofUnit.set(unit, problems)
  }

  /** What came and went since the last call. */
  settle(): ProblemChanges {
    const before = byIdentity([...this.#before.values()].flat())
    const after = byIdentity([...this.#before.keys()].flatMap(unit => this.#ofUnit.get(unit) ?? []))
    this.#before = new Map()
    return { added: without(after, before), resolved: without(before, after) }
  }

  all(): readonly Problem[] {
    return without(byIdentity([...this.#ofUnit.values()].flat()), new Map())
  }
}

function byIdentity(problems: readonly Problem[]): Map<string, Problem> {
  return new Map(problems.map(problem => [identity(problem), problem]))
}

function identity({ object, field, reason, message }: Problem): string {
  return JSON.stringify([object.namespace, object.name, object.kind, field, reason, message, object.uid ?? ''])
}

/** Sorted, so that no order of evaluation shows through. */
function without(problems: ReadonlyMap<string, Problem>, others: ReadonlyMap<string, Problem>): readonly Problem[] {
  return [...problems]
    .filter(([key]) => !others.has(key))
    .sort(([one], [other]) => compareText(one, other))
    .map(([, problem]) => problem)
}
