import type { ChangedObject } from './model.ts'

const nobody: ReadonlySet<ChangedObject> = new Set()

/** Units to be evaluated again, each with the changes that are to blame. */
export class Marks {
  /** Without a set where nobody is to blame, as when a table is read as a whole. */
  readonly #causes = new Map<string, Set<ChangedObject> | undefined>()

  add(unit: string, causes: Iterable<ChangedObject>): void {
    let known = this.#causes.get(unit)
    for (const cause of causes) {
      known ??= new Set()
      known.add(cause)
    }
    this.#causes.set(unit, known)
  }

  causes(unit: string): ReadonlySet<ChangedObject> {
    return this.#causes.get(unit) ?? nobody
  }

  /** Units marked so far; those that are added meanwhile are given too. */
  units(): IterableIterator<string> {
    return this.#causes.keys()
  }
}
