import { expect, test } from 'vitest'
import { Histogram } from './histogram.ts'

test('percentiles of small values are exact', () => {
  const histogram = new Histogram()
  for (let value = 1; value <= 200; value++) histogram.record(value)
  expect([50, 99, 99.9, 100].map(percent => histogram.percentile(percent))).toEqual([100, 198, 200, 200])
  expect(histogram.total).toBe(200)
})

test('a large value is known to within 1 %', () => {
  for (const value of [255, 256, 257, 511, 512, 1000, 12_345, 999_999, 60_000_000]) {
    const histogram = new Histogram()
    histogram.record(value)
    histogram.record(value * 100)
    const found = histogram.percentile(50)
    expect(found).toBeGreaterThanOrEqual(value)
    expect(found / value).toBeLessThan(1.01)
    expect(histogram.max).toBe(value * 100)
  }
})

test('the order of values does not matter, and the highest is never exceeded', () => {
  const values = Array.from({ length: 5000 }, (_, index) => (index * 7919) % 100_000)
  const one = new Histogram()
  const other = new Histogram()
  for (const value of values) one.record(value)
  for (const value of values.toReversed()) other.record(value)
  for (const percent of [1, 50, 90, 99, 99.9, 100]) {
    expect(one.percentile(percent)).toBe(other.percentile(percent))
    expect(one.percentile(percent)).toBeLessThanOrEqual(one.max)
  }
})

test('without values there is no percentile', () => {
  expect(new Histogram().percentile(99)).toBeNaN()
})
