import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { oldestIdle } from '../../src/proxy/oldest-idle.ts'

test('finds those that have been idle longest, in order, and none that is busy', () => {
  const times = fc.array(fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constant(Number.POSITIVE_INFINITY)))
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: 8 }), (sinceMs, count) => {
      const found = oldestIdle(
        sinceMs.map(idleSinceMs => ({ idleSinceMs })),
        count,
      )
      const sorted = sinceMs.filter(Number.isFinite).sort((one, other) => one - other)
      expect(found.map(({ idleSinceMs }) => idleSinceMs)).toEqual(sorted.slice(0, count))
    }),
  )
})
