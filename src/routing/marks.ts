import type { ChangedObject } from './model.ts'

const nobody: ReadonlySet<ChangedObject> = new Set()

/** Units to be evaluated again, each with the changes that are to blame. */
export class Marks {
  readonly #causes = new Map<string, ReadonlySet<ChangedObject>>()

  add(unit: string, causes: Iterable<ChangedObject>): void {
    let known = this.#causes.get(unit)
    for (const cause of causes) {
      // Most units are marked with one cause or, when a table is read as a whole, with none.
      if (known === undefined || known === nobody) known = new Set()
      if (!known.has(cause)) (known as Set<ChangedObject>).add(cause)
    }
    this.#causes.set(unit, known ?? nobody)
  }

  causes(unit: string): ReadonlySet<ChangedObject> {
    return this.#causes.get(unit) ?? nobody
  }

  /** Units marked so far; those that are added meanwhile are given too. */
  units(): IterableIterator<string> {
    return this.#causes.keys()
  }
}
