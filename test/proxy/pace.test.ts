import { expect, test } from 'vitest'
import { Pace } from '../../src/proxy/pace.ts'

const rule = { bytesPerSecond: 100, graceMs: 5_000, maxCreditMs: 60_000 }

/** When it becomes too slow, in seconds, looked at every tenth; undefined within five minutes. */
function endOf(bytesAt: (seconds: number) => number, at = rule): number | undefined {
  const pace = new Pace(0, { nowMs: 7_000, bytes: 900, graceMs: at.graceMs })
  for (let tick = 1; tick <= 3_000; tick++) {
    if (pace.isTooSlow(7_000 + tick * 100, 900 + bytesAt(tick / 10), at)) return tick / 10
  }
  return undefined
}

test('silence is allowed for the grace', () => {
  expect(endOf(() => 0)).toBe(5)
})

test('one byte now and then buys next to nothing', () => {
  expect(endOf(seconds => Math.floor(seconds))).toBeLessThan(5.2)
})

test('a client at the rate goes on for ever, one a little slower for a while', () => {
  expect(endOf(seconds => seconds * 100)).toBeUndefined()
  expect(endOf(seconds => seconds * 90)).toBe(50)
})

test('a burst makes up for a pause of the longest silence allowed, not for more', () => {
  expect(endOf(() => 1_000_000)).toBeCloseTo(60.1, 1)
  expect(endOf(seconds => (seconds < 50 ? 1_000_000 : 2_000_000))).toBeCloseTo(110, 0)
})

test('a longest silence shorter than the grace does not shorten the grace', () => {
  expect(endOf(() => 0, { ...rule, maxCreditMs: 1_000 })).toBe(5)
})

test('time in which the client may not send does not count', () => {
  const pace = new Pace(0, { nowMs: 0, bytes: 0, graceMs: 5_000 })
  expect(pace.isTooSlow(4_000, 0, rule)).toBe(false)
  pace.rest(1_000_000)
  expect(pace.isTooSlow(1_000_900, 0, rule)).toBe(false)
  expect(pace.isTooSlow(1_001_000, 0, rule)).toBe(true)
})

test('a client is behind while it has sent less than it owes, whatever its grace allows', () => {
  const pace = new Pace(0, { nowMs: 0, bytes: 0, graceMs: 5_000 })
  expect(pace.isBehind(0, rule)).toBe(false)
  pace.isTooSlow(1_000, 0, rule)
  expect(pace.isBehind(99, rule)).toBe(true)
  expect(pace.isBehind(100, rule)).toBe(false)
  pace.isTooSlow(2_000, 300, rule)
  expect(pace.isBehind(300, rule)).toBe(false)
})
