import type { Balancer } from './balancer.ts'
import type { Candidates } from './candidates.ts'
import { drawEndpoint } from './random-draw.ts'

/** The same endpoint for the same hash, in every worker and replica; a request without a hash goes anywhere. */
export class ConsistentHash implements Balancer {
  pick(candidates: Candidates): number {
    const hasNoChoice = candidates.hash < 0 || candidates.count < 2
    return hasNoChoice ? drawEndpoint(candidates, -1) : candidates.ring.pick(candidates)
  }
}
