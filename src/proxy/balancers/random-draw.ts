import type { Candidates } from './candidates.ts'

/** So often an endpoint is drawn that is passed over, before the rest is gone through. */
const maxDraws = 4

/** An eligible endpoint at random, but not `other`; -1 when there is none. */
export function drawEndpoint(candidates: Candidates, other: number): number {
  const { count } = candidates
  if (count === 0) return -1
  for (let draw = 0; draw < maxDraws; draw++) {
    const index = candidates.randomIndex(count)
    if (index !== other && candidates.isEligible(index)) return index
  }
  const start = candidates.randomIndex(count)
  for (let step = 0; step < count; step++) {
    const index = (start + step) % count
    if (index !== other && candidates.isEligible(index)) return index
  }
  return -1
}

/** The same, preferring those that are warm. */
export function drawWarmEndpoint(candidates: Candidates): number {
  let index = -1
  for (let draw = 0; draw < maxDraws; draw++) {
    index = drawEndpoint(candidates, -1)
    if (index < 0 || candidates.isWarm(index)) return index
  }
  return index
}
