import { expect, test } from 'vitest'
import { figureOf, medianOf } from './statistics.ts'

test('the median of an even number of values lies between the middle two', () => {
  expect(medianOf([1, 2, 4, 8])).toBe(3)
  expect(medianOf([1, 2, 4])).toBe(2)
})

test('a figure tells median and ends whatever the order', () => {
  expect(figureOf([3, 1, 2])).toMatchObject({ median: 2, min: 1, max: 3, blocks: 3 })
})

test('the interval holds the median, narrows with agreement, and is the same each time', () => {
  const wide = figureOf([1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6])
  expect(wide.low).toBeLessThan(wide.median)
  expect(wide.high).toBeGreaterThan(wide.median)
  expect(wide.low).toBeGreaterThanOrEqual(wide.min)
  expect(wide.high).toBeLessThanOrEqual(wide.max)
  const narrow = figureOf([1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 9])
  expect([narrow.low, narrow.median]).toEqual([1.3, 1.3])
  expect(figureOf([1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6])).toEqual(wide)
})

test('one block has no spread', () => {
  expect(figureOf([1.5])).toEqual({ median: 1.5, min: 1.5, max: 1.5, low: 1.5, high: 1.5, blocks: 1 })
})
