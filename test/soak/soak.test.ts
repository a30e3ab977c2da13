import { join } from 'node:path'
import { expect, test } from 'vitest'
import { growthOf } from './growth.ts'
import { runSoak } from './soak-run.ts'
import { judgeSoak } from './verdicts.ts'

test('mixed traffic, rude clients and changes leave nothing open behind them', async () => {
  const report = await runSoak({
    program: join(import.meta.dirname, '../../src/cli/entry.ts'),
    durationMs: 8_000,
    warmUpMs: 2_000,
    sampleMs: 1_000,
    ratePerSecond: 200,
    changesPerSecond: 5,
    rudePerSecond: 40,
  })
  // Too short to say anything of growth.
  expect(judgeSoak(report, undefined).faults).toEqual([])
}, 240_000)

test('growth is that of the line through the points, not of the last one', () => {
  const points = (values: readonly number[]): { atMs: number; value: number }[] =>
    values.map((value, index) => ({ atMs: index * 1_000, value }))
  expect(growthOf(points([100, 110, 120, 130]))).toBeCloseTo(0.3)
  expect(growthOf(points([100, 130, 100, 130, 100]))).toBeCloseTo(0)
  expect(() => growthOf(points([1, 2]))).toThrow('3 points')
})
