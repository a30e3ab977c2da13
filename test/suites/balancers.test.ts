import { getHeapStatistics } from 'node:v8'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Algorithm, algorithms } from '../../src/api/load-balance.ts'
import type { EndpointState } from '../../src/proxy/balancers/balancer.ts'
import { Candidates } from '../../src/proxy/balancers/candidates.ts'
import { EndpointSet } from '../../src/proxy/balancers/endpoint-set.ts'
import { addToHash, emptyHash, mix } from '../../src/proxy/balancers/hash.ts'
import { balancers } from '../../src/proxy/balancers/index.ts'
import { noteFailedAfter, noteLatency } from '../../src/proxy/balancers/latency.ts'
import { RandomNumbers } from '../../src/proxy/balancers/random-numbers.ts'
import { AvoidedEndpoints, PassiveHealth } from '../../src/proxy/passive-health.ts'
import { WorkerCounters } from '../../src/proxy/worker-counters.ts'

const healthy = new PassiveHealth({ nowMs: 0 }, new WorkerCounters())

type Endpoint = { -readonly [Key in keyof EndpointState]: EndpointState[Key] }

function endpoint(number: number, draft: Partial<EndpointState> = {}): Endpoint {
  const numbers = { health: undefined, inFlight: 0, latencyUs: 0, latencyAtMs: 0, joinedMs: -1 }
  return { key: `10.0.${number >> 8}.${number & 255}:8080`, retired: false, ...numbers, ...draft }
}

function endpointsOf(count: number, draft: Partial<EndpointState> = {}): Endpoint[] {
  return Array.from({ length: count }, (_, index) => endpoint(index, draft))
}

/** One balancer with the clock and the chance of a test; every pick is of another key, where keys count. */
class Balancing {
  readonly candidates: Candidates
  readonly health: PassiveHealth
  readonly #clock = { nowMs: 0 }
  readonly #avoided = new AvoidedEndpoints()
  readonly #balancer
  #set = new EndpointSet([])
  #picks = 0

  constructor(algorithm: Algorithm, seed = 1) {
    this.health = new PassiveHealth(this.#clock, new WorkerCounters())
    this.candidates = new Candidates(new RandomNumbers(seed), this.health)
    this.#balancer = balancers[algorithm](seed)
  }

  use(endpoints: readonly Endpoint[]): this {
    this.#set = new EndpointSet(endpoints)
    return this
  }

  at(nowMs: number): this {
    this.#clock.nowMs = nowMs
    this.candidates.nowMs = nowMs
    return this
  }

  pick(tried?: ReadonlySet<EndpointState>, key = `/item/${this.#picks++}`): Endpoint | undefined {
    this.health.look(this.#set.endpoints, this.#avoided)
    this.candidates.avoided = this.#avoided
    this.candidates.begin(this.#set, tried, true)
    this.candidates.hash = mix(addToHash(emptyHash, key))
    return this.#set.endpoints[this.candidates.pick(this.#balancer)]
  }

  counts(picks: number, tried?: ReadonlySet<EndpointState>): Map<string | undefined, number> {
    const counts = new Map<string | undefined, number>(this.#set.endpoints.map(({ key }) => [key, 0]))
    for (let pick = 0; pick < picks; pick++) {
      const key = this.pick(tried)?.key
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    return counts
  }
}

/** Since the process began; before Node 26 what is in use, which is less once it was collected. */
function allocatedBytes(): number {
  const { total_allocated_bytes: total, used_heap_size: used } = getHeapStatistics()
  return total ?? used
}

/** What every algorithm promises, whatever it prefers. */
describe.each(algorithms)('%s', algorithm => {
  test('has no endpoint to give when there is none, and the only one when there is one', () => {
    const balancing = new Balancing(algorithm)
    expect(balancing.pick()).toBeUndefined()
    const [only] = endpointsOf(1)
    if (only === undefined) throw new Error('one was asked for')
    expect(balancing.use([only]).pick()).toBe(only)
    expect(balancing.pick(new Set([only]))).toBe(only)
  })

  test('reaches every endpoint, one as often as another', () => {
    const counts = new Balancing(algorithm).use(endpointsOf(10)).counts(20_000)
    // Evenly would be 2,000; the shares of a ring are rougher than those of chance.
    for (const count of counts.values()) expect(Math.abs(count - 2000)).toBeLessThan(500)
  })

  test('reaches each of 1,000 endpoints', () => {
    const counts = new Balancing(algorithm).use(endpointsOf(1000)).counts(30_000)
    expect([...counts.values()].filter(count => count === 0)).toEqual([])
    expect(Math.max(...counts.values())).toBeLessThan(90)
  })

  test('passes over what was tried, refused or has retired, and prefers these in that order when nothing else is left', () => {
    const kinds = fc.constantFrom('free', 'refusing', 'tried', 'retired')
    fc.assert(
      fc.property(fc.nat(1000), fc.array(kinds, { minLength: 1, maxLength: 60 }), (seed, states) => {
        const balancing = new Balancing(algorithm, seed).at(1000)
        const endpoints = states.map((kind, index) => {
          const one = endpoint(index, { retired: kind === 'retired' })
          if (kind === 'refusing') balancing.health.failed(one, 'connect_failed')
          return one
        })
        balancing.use(endpoints)
        const tried = new Set(endpoints.filter((_, index) => states[index] === 'tried'))
        const picked = balancing.pick(tried)
        const best = (['free', 'refusing', 'tried'] as const).find(kind => states.includes(kind))
        expect(picked === undefined ? undefined : states[endpoints.indexOf(picked)]).toBe(best)
      }),
    )
  })

  test('takes a refusing endpoint again when its time is over', () => {
    const [refusing, other] = [endpoint(0), endpoint(1)]
    const balancing = new Balancing(algorithm).use([refusing, other]).at(1000)
    balancing.health.failed(refusing, 'connect_failed')
    expect(balancing.at(1999).counts(200).get(refusing.key)).toBe(0)
    expect(balancing.at(2000).counts(200).get(refusing.key)).toBeGreaterThan(50)
  })

  test('follows endpoints that come and go', () => {
    const endpoints = endpointsOf(6)
    const balancing = new Balancing(algorithm).use(endpoints.slice(0, 3))
    expect(balancing.counts(300).size).toBe(3)
    const later = balancing.use(endpoints.slice(2)).counts(400)
    expect([...later.keys()]).toEqual(endpoints.slice(2).map(({ key }) => key))
    for (const count of later.values()) expect(count).toBeGreaterThan(40)
  })

  test('allocates nothing', () => {
    const set = new EndpointSet(endpointsOf(100, { latencyUs: 1000 }))
    const candidates = new Candidates(new RandomNumbers(1), healthy)
    const balancer = balancers[algorithm](1)
    const pickOften = (): number => {
      const before = allocatedBytes()
      for (let pick = 0; pick < 100_000; pick++) {
        candidates.begin(set, undefined, false)
        candidates.hash = mix(pick)
        candidates.pick(balancer)
      }
      return allocatedBytes() - before
    }
    // Until it is compiled, which happens on the way, numbers are objects. The smallest object takes 16 bytes.
    let least = Number.POSITIVE_INFINITY
    for (let round = 0; round < 30 && least > 400_000; round++) least = Math.min(least, pickOften())
    expect(least).toBeLessThan(400_000)
  })

  test('serves where every endpoint has just joined', () => {
    const balancing = new Balancing(algorithm).use(endpointsOf(4, { joinedMs: 10_000 }))
    balancing.candidates.nowMs = 10_000
    balancing.candidates.slowStartMs = 60_000
    for (const count of balancing.counts(400).values()) expect(count).toBeGreaterThan(40)
  })
})

describe.each(algorithms.filter(algorithm => algorithm !== 'consistent_hash'))('slow start of %s', algorithm => {
  test('gives what joins others a small share at first, then a growing one', () => {
    const joining = endpoint(9, { joinedMs: 10_000 })
    const balancing = new Balancing(algorithm).use([...endpointsOf(3), joining])
    const { candidates } = balancing
    candidates.slowStartMs = 60_000
    const shareAt = (nowMs: number): number => {
      candidates.nowMs = nowMs
      return (balancing.counts(8000).get(joining.key) ?? 0) / 8000
    }
    const shares = [10_000, 40_000, 70_000].map(shareAt)
    expect(shares[0]).toBeLessThan(0.08)
    expect(shares[1]).toBeGreaterThan(0.09)
    expect(shares[1]).toBeLessThan(0.21)
    expect(shares[2]).toBeGreaterThan(0.22)
    candidates.slowStartMs = 0
    expect(shareAt(10_000)).toBeGreaterThan(0.22)
  })
})

describe('round_robin', () => {
  test('gives each endpoint its turn, whatever it began with', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.integer({ min: 1, max: 20 }), fc.nat(20), (seed, count, rounds) => {
        const counts = new Balancing('round_robin', seed).use(endpointsOf(count)).counts(count * rounds)
        expect([...counts.values()].every(one => one === rounds)).toBe(true)
      }),
    )
  })

  test('goes on where it was when the number of endpoints changes', () => {
    const endpoints = endpointsOf(5)
    const balancing = new Balancing('round_robin', 0)
    const turns = (count: number, picks: number): number[] => {
      balancing.use(endpoints.slice(0, count))
      return Array.from({ length: picks }, () => balancing.pick()).map(picked =>
        endpoints.findIndex(one => one === picked),
      )
    }
    expect(turns(3, 2)).toEqual([0, 1])
    expect(turns(5, 2)).toEqual([2, 3])
    expect(turns(2, 1)).toEqual([0])
  })
})

describe('least_requests', () => {
  test('of two takes the one with fewer requests in flight', () => {
    const [busy, idle] = [endpoint(0, { inFlight: 2 }), endpoint(1, { inFlight: 1 })]
    expect(new Balancing('least_requests').use([busy, idle]).counts(100).get(idle.key)).toBe(100)
  })

  test('levels what is in flight', () => {
    const endpoints = endpointsOf(10)
    const balancing = new Balancing('least_requests').use(endpoints)
    for (let request = 0; request < 1000; request++) {
      const picked = balancing.pick()
      if (picked !== undefined) picked.inFlight++
    }
    // One choice at random would spread them over 70 to 130.
    for (const { inFlight } of endpoints) expect(Math.abs(inFlight - 100)).toBeLessThan(5)
  })
})

describe('ewma', () => {
  test('of two takes the faster one, and one that was not measured as if it were like the other', () => {
    const [slow, fast, unknown] = [endpoint(0), endpoint(1), endpoint(2)]
    noteLatency(slow, 200, 0)
    noteLatency(fast, 10, 0)
    expect(new Balancing('ewma').use([slow, fast]).counts(100).get(fast.key)).toBe(100)
    expect(new Balancing('ewma').use([slow, unknown]).counts(1000).get(unknown.key)).toBeGreaterThan(400)
  })

  test('sees at once that an endpoint became slow, and forgets it with time', () => {
    const one = endpoint(0)
    noteLatency(one, 10, 0)
    noteLatency(one, 500, 100)
    expect(one.latencyUs).toBe(500_000)
    noteLatency(one, 10, 10_100)
    expect(one.latencyUs).toBe(Math.round(500_000 * Math.exp(-1) + 10_000 * (1 - Math.exp(-1))))
  })

  test('lets no failure make an endpoint look fast', () => {
    const one = endpoint(0)
    noteLatency(one, 50, 0)
    noteFailedAfter(one, 1, 60_000)
    expect(one.latencyUs).toBe(50_000)
    noteFailedAfter(one, 5000, 60_000)
    expect(one.latencyUs).toBe(5_000_000)
  })

  test('asks a slow endpoint again when its latency has faded', () => {
    const [slow, fast] = [endpoint(0), endpoint(1)]
    noteLatency(slow, 200, 0)
    noteLatency(fast, 10, 60_000)
    const balancing = new Balancing('ewma').use([slow, fast])
    balancing.candidates.nowMs = 60_000
    expect(balancing.counts(100).get(slow.key)).toBe(100)
  })

  test('counts what is in flight, so that a fast endpoint is not flooded', () => {
    const [fast, other] = [endpoint(0, { inFlight: 9 }), endpoint(1)]
    noteLatency(fast, 10, 0)
    noteLatency(other, 50, 0)
    expect(new Balancing('ewma').use([fast, other]).counts(100).get(other.key)).toBe(100)
  })
})

describe('consistent_hash', () => {
  const keys = Array.from({ length: 5000 }, (_, index) => `/item/${index}`)
  const ownersBy = (endpoints: readonly Endpoint[], seed = 1): readonly (string | undefined)[] => {
    const balancing = new Balancing('consistent_hash', seed).use(endpoints)
    return keys.map(key => balancing.pick(undefined, key)?.key)
  }

  test('is the same in every worker and replica, in whatever order they know the endpoints', () => {
    const endpoints = endpointsOf(20)
    expect(ownersBy(endpoints, 1)).toEqual(ownersBy([...endpoints].reverse(), 2))
  })

  test('moves only the keys of an endpoint that goes', () => {
    const endpoints = endpointsOf(20)
    const before = ownersBy(endpoints)
    const gone = endpoints[7]?.key
    const after = ownersBy(endpoints.filter(({ key }) => key !== gone))
    const moved = keys.filter((_, index) => before[index] !== after[index])
    expect(moved).toEqual(keys.filter((_, index) => before[index] === gone))
    expect(moved.length).toBeGreaterThan(0)
  })

  test('moves to an endpoint that comes, and nowhere else, about its share of the keys', () => {
    const endpoints = endpointsOf(20)
    const before = ownersBy(endpoints)
    const after = ownersBy([...endpoints, endpoint(20)])
    const moved = after.filter((owner, index) => owner !== before[index])
    expect(new Set(moved)).toEqual(new Set([endpoint(20).key]))
    expect(moved.length / keys.length).toBeGreaterThan(0.5 / 21)
    expect(moved.length / keys.length).toBeLessThan(2 / 21)
  })

  test('leads a key whose endpoint failed to one other endpoint', () => {
    const endpoints = endpointsOf(20)
    const balancing = new Balancing('consistent_hash').use(endpoints)
    const first = balancing.pick(undefined, '/item')
    const tried = new Set(first === undefined ? [] : [first])
    const second = new Set(Array.from({ length: 50 }, () => balancing.pick(tried, '/item')))
    expect(second.size).toBe(1)
    expect(second.has(first)).toBe(false)
  })

  test('leads a key to exactly as many endpoints as its subset has', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 2, max: 5 }), (count, size) => {
        const set = new EndpointSet(endpointsOf(count))
        const candidates = new Candidates(new RandomNumbers(1), healthy)
        const found = new Set<number>()
        for (let pick = 0; pick < 300; pick++) {
          candidates.begin(set, undefined, false)
          candidates.hash = mix(addToHash(emptyHash, '/item'))
          candidates.subsetSize = size
          found.add(candidates.pick(balancers.consistent_hash()))
        }
        expect(found.size).toBe(Math.min(count, size))
      }),
      { numRuns: 30 },
    )
  })

  test('spreads requests without a key', () => {
    const candidates = new Candidates(new RandomNumbers(1), healthy)
    const set = new EndpointSet(endpointsOf(5))
    const found = new Set<number>()
    for (let pick = 0; pick < 200; pick++) {
      candidates.begin(set, undefined, false)
      found.add(candidates.pick(balancers.consistent_hash()))
    }
    expect(found.size).toBe(5)
  })
})
