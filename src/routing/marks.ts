import type { ChangedObject } from './model.ts'

/** Units to be evaluated again, each with the changes that are to blame. */
export class Marks {
  readonly #causes = new Map<string, Set<ChangedObject>>()

  add(unit: string, causes: Iterable<ChangedObject>): void {
    const known = this.#causes.get(unit) ?? new Set()
    this.#causes.set(unit, known)
    for (const cause of causes) known.add(cause)
  }

  causes(unit: string): ReadonlySet<ChangedObject> {
    return this.#causes.get(unit) ?? new Set()
  }

  /** Units marked so far; those that are added meanwhile are given too. */
  units(): IterableIterator<string> {
    return this.#causes.keys()
  }
}
