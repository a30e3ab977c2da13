import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ReverseIndex } from '../../src/routing/reverse-index.ts'

const step = fc.record({
  adds: fc.boolean(),
  key: fc.constantFrom('a', 'b'),
  referrer: fc.constantFrom('x', 'y', 'z'),
})

test('a reverse index is a map of sets without empty ones, however few referrers a key has', () => {
  const property = fc.property(fc.array(step, { maxLength: 30 }), steps => {
    const index = new ReverseIndex()
    const sets = new Map<string, Set<string>>()
    for (const { adds, key, referrer } of steps) {
      const set = sets.get(key) ?? new Set()
      if (adds) {
        index.add(key, referrer)
        set.add(referrer)
      } else {
        index.delete(key, referrer)
        set.delete(referrer)
      }
      sets.set(key, set)
      if (set.size === 0) sets.delete(key)
      expect([...index.keys()].sort()).toEqual([...sets.keys()].sort())
      for (const known of ['a', 'b']) {
        expect(new Set(index.get(known))).toEqual(sets.get(known) ?? new Set())
        expect(index.has(known)).toBe(sets.has(known))
      }
    }
  })
  fc.assert(property)
})
