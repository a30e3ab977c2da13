import type { EndpointState } from './balancer.ts'
import type { Candidates } from './candidates.ts'
import { addToHash, emptyHash, mix } from './hash.ts'

/**
 * Consistent hashing with several probes: each endpoint has points on a ring of 2^32, a key has probes, and the point
 * that is nearest after any of its probes wins. An endpoint that joins takes keys from the others, one that leaves
 * gives up its own, and no other key moves. Probes make the shares even with few points, so that a ring of 1,000
 * endpoints is made in about a millisecond.
 *
 * It depends on the addresses alone, so it is the same in every worker and replica.
 */

const pointsPerEndpoint = 24
const probes = 8
const golden = 0x9e3779b9
/** Points and indexes are sorted as one number: 32 bits of the point, then the index. */
const indexRange = 2 ** 20
const ringLength = 2 ** 32

export class HashRing {
  readonly #points: Uint32Array
  readonly #owners: Uint32Array

  constructor(endpoints: readonly EndpointState[]) {
    const packed = new Float64Array(endpoints.length * pointsPerEndpoint)
    for (const [index, { key }] of endpoints.entries()) {
      const hash = addToHash(emptyHash, key)
      for (let point = 0; point < pointsPerEndpoint; point++) {
        packed[index * pointsPerEndpoint + point] = mix(hash + Math.imul(point, golden)) * indexRange + index
      }
    }
    packed.sort()
    this.#points = new Uint32Array(packed.length)
    this.#owners = new Uint32Array(packed.length)
    for (const [at, value] of packed.entries()) {
      this.#points[at] = Math.floor(value / indexRange)
      this.#owners[at] = value % indexRange
    }
  }

  /** Index of the endpoint for the hash of `candidates`; of its subset, one at random. -1 when none is eligible. */
  pick(candidates: Candidates): number {
    const points = this.#points
    let best = -1
    let bestDistance = ringLength
    for (let probe = 0; probe < probes; probe++) {
      const place = mix(candidates.hash + Math.imul(probe + 1, golden))
      const at = this.#eligibleFrom(this.#firstAfter(place), candidates)
      if (at < 0) return -1
      const distance = ((points[at] as number) - place) >>> 0
      if (distance < bestDistance) {
        best = at
        bestDistance = distance
      }
    }
    const { subsetSize } = candidates
    return this.#owners[subsetSize > 1 ? this.#ofSubset(best, candidates) : best] as number
  }

  /** First point at or after the place, around the ring. */
  #firstAfter(place: number): number {
    const points = this.#points
    let low = 0
    let high = points.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((points[middle] as number) < place) low = middle + 1
      else high = middle
    }
    return low === points.length ? 0 : low
  }

  #eligibleFrom(start: number, candidates: Candidates): number {
    const { length } = this.#owners
    for (let step = 0; step < length; step++) {
      const at = (start + step) % length
      if (candidates.isEligible(this.#owners[at] as number)) return at
    }
    return -1
  }

  /** The subset is the owner of the point and those of the points after it, each endpoint once. */
  #ofSubset(start: number, candidates: Candidates): number {
    const { length } = this.#owners
    const wanted = candidates.randomIndex(Math.min(candidates.subsetSize, candidates.count))
    let found = 0
    let last = start
    for (let step = 0; step < length; step++) {
      const at = (start + step) % length
      const owner = this.#owners[at] as number
      if (!candidates.isEligible(owner) || this.#isOwnedBetween(start, step, owner)) continue
      if (found === wanted) return at
      found++
      last = at
    }
    return last
  }

  #isOwnedBetween(start: number, steps: number, owner: number): boolean {
    const { length } = this.#owners
    for (let step = 0; step < steps; step++) if (this.#owners[(start + step) % length] === owner) return true
    return false
  }
}
