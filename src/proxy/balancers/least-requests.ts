import type { Balancer } from './balancer.ts'
import type { Candidates } from './candidates.ts'
import { drawEndpoint, drawWarmEndpoint } from './random-draw.ts'

/** Of two endpoints at random the one with fewer requests of this worker in flight. */
export class LeastRequests implements Balancer {
  pick(candidates: Candidates): number {
    const first = drawWarmEndpoint(candidates)
    const second = first < 0 ? -1 : drawEndpoint(candidates, first)
    if (second < 0 || candidates.inFlight(second) >= candidates.inFlight(first)) return first
    return candidates.isWarm(second) ? second : first
  }
}
