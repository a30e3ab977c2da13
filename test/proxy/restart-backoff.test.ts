import { expect, test } from 'vitest'
import { RestartBackoff } from '../../src/proxy/restart-backoff.ts'

test('the first loss costs no time, each one after it twice as much, up to ten seconds', () => {
  const backoff = new RestartBackoff()
  expect(Array.from({ length: 10 }, () => backoff.lost(0))).toEqual([
    0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000,
  ])
})

test('a worker that served long enough is replaced at once; its successors that never listen are not', () => {
  const backoff = new RestartBackoff()
  backoff.lost(0)
  expect([60_000, 0, 0, 29_000, 31_000].map(servedMs => backoff.lost(servedMs))).toEqual([0, 100, 200, 400, 0])
})
