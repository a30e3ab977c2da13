import { expect, test } from 'vitest'
import { compactEntries } from '../../src/routing/entries.ts'

test.each([[[]], [['a']], [['a', 'b']]])('compact entries answer as the map of %j did', (...[keys]) => {
  const map = new Map(keys.map(key => [key, { of: key }]))
  const entries = compactEntries(map)
  expect([...entries.keys()]).toEqual([...map.keys()])
  expect([...entries.values()]).toEqual([...map.values()])
  expect(entries.size).toBe(map.size)
  for (const key of ['a', 'b', 'c']) {
    expect(entries.get(key)).toBe(map.get(key))
    expect(entries.has(key)).toBe(map.has(key))
  }
})
