import { expect, test } from 'vitest'
import { CoarseClock } from '../../src/proxy/coarse-clock.ts'

test('time stands still between ticks, and a deadline is never early', () => {
  const time = { monotonic: 1_000, wall: Date.UTC(2026, 10, 3, 8, 15, 9) }
  const clock = new CoarseClock({ monotonicMs: () => time.monotonic, wallMs: () => time.wall })
  expect(clock.httpDate).toBe('Tue, 03 Nov 2026 08:15:09 GMT')
  expect(clock.logTime).toBe('03/Nov/2026:08:15:09 +0000')
  expect(clock.isoTime).toBe('2026-11-03T08:15:09+00:00')
  time.monotonic += 99
  time.wall += 1_000
  expect(clock.nowMs).toBe(1_000)
  expect(clock.deadline(500)).toBeGreaterThanOrEqual(time.monotonic + 500)
  clock.tick()
  expect(clock.nowMs).toBe(1_099)
  expect(clock.logTime).toBe('03/Nov/2026:08:15:10 +0000')
})
