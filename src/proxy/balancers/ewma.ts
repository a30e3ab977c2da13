import type { Balancer } from './balancer.ts'
import type { Candidates } from './candidates.ts'
import { drawEndpoint, drawWarmEndpoint } from './random-draw.ts'

/**
 * Of two endpoints at random the one with the lower latency (an average that fades), counted once more for each
 * request in flight there. One that was never measured counts as fast as the one it is compared with.
 */
export class Ewma implements Balancer {
  pick(candidates: Candidates): number {
    const first = drawWarmEndpoint(candidates)
    const second = first < 0 ? -1 : drawEndpoint(candidates, first)
    if (second < 0) return first
    const firstLatency = candidates.latencyUs(first)
    const secondLatency = candidates.latencyUs(second)
    const areKnown = firstLatency > 0 && secondLatency > 0
    const firstCost = (candidates.inFlight(first) + 1) * (areKnown ? firstLatency : 1)
    const secondCost = (candidates.inFlight(second) + 1) * (areKnown ? secondLatency : 1)
    return secondCost < firstCost && candidates.isWarm(second) ? second : first
  }
}
