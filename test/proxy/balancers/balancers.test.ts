import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { algorithms, balancers } from '../../../src/proxy/balancers/index.ts'

/** What every algorithm promises, whatever it prefers. */
describe.each(algorithms)('%s', algorithm => {
  const create = (seed: number) => balancers[algorithm](seed)

  test('has no endpoint to give when there is none', () => {
    expect(create(0).pick(0, 0)).toBe(-1)
  })

  test('gives an endpoint that is there, and none that was tried while another is left', () => {
    fc.assert(
      fc.property(
        fc.nat(1_000),
        fc.array(fc.record({ count: fc.integer({ min: 1, max: 40 }), tried: fc.nat(2 ** 20) }), {
          minLength: 1,
          maxLength: 50,
        }),
        (seed, picks) => {
          const balancer = create(seed)
          for (const { count, tried } of picks) {
            const index = balancer.pick(count, tried)
            const untriedLeft = Array.from({ length: count }, (_, at) => at).some(
              at => at > 30 || (tried & (1 << at)) === 0,
            )
            expect(index).toBeGreaterThanOrEqual(0)
            expect(index).toBeLessThan(count)
            expect(untriedLeft && index < 31 && (tried & (1 << index)) !== 0).toBe(false)
          }
        },
      ),
    )
  })
})

describe('round_robin', () => {
  test('gives each endpoint its turn, whatever it began with', () => {
    fc.assert(
      fc.property(
        fc.nat(1_000),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        (seed, count, rounds) => {
          const balancer = balancers.round_robin(seed)
          const turns = Array.from({ length: count }, () => 0)
          for (let pick = 0; pick < count * rounds; pick++) {
            const index = balancer.pick(count, 0)
            turns[index] = (turns[index] ?? 0) + 1
          }
          expect(turns.every(one => one === rounds)).toBe(true)
        },
      ),
    )
  })

  test('goes on where it was when the number of endpoints changes', () => {
    const balancer = balancers.round_robin(0)
    expect([balancer.pick(3, 0), balancer.pick(3, 0)]).toEqual([0, 1])
    expect([balancer.pick(5, 0), balancer.pick(5, 0)]).toEqual([2, 3])
    expect(balancer.pick(2, 0)).toBe(0)
  })
})
