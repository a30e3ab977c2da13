import type { Balancer } from './balancer.ts'
import type { Candidates } from './candidates.ts'

/** Each endpoint in turn, per request and worker. */
export class RoundRobin implements Balancer {
  #next: number

  /** `seed` spreads the beginnings of workers and replicas. */
  constructor(seed: number) {
    this.#next = seed
  }

  pick(candidates: Candidates): number {
    const { count } = candidates
    let notWarm = -1
    for (let step = 0; step < count; step++) {
      const index = (this.#next + step) % count
      if (!candidates.isEligible(index)) continue
      if (candidates.isWarm(index)) {
        this.#next = index + 1
        return index
      }
      if (notWarm < 0) notWarm = index
    }
    if (notWarm >= 0) this.#next = notWarm + 1
    return notWarm
  }
}
