import { type Balancer, isTried } from './balancer.ts'

/** Each endpoint in turn, per request and worker. */
export class RoundRobin implements Balancer {
  #next: number

  /** `seed` spreads the beginnings of workers and replicas. */
  constructor(seed: number) {
    this.#next = seed
  }

  pick(endpointCount: number, tried: number): number {
    if (endpointCount === 0) return -1
    for (let step = 0; step < endpointCount; step++) {
      const index = (this.#next + step) % endpointCount
      if (isTried(tried, index)) continue
      this.#next = index + 1
      return index
    }
    const index = this.#next % endpointCount
    this.#next = index + 1
    return index
  }
}
