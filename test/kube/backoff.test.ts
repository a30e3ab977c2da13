import { describe, expect, it } from 'vitest'
import { Backoff } from '../../src/kube/backoff.ts'

describe('Backoff', () => {
  it('doubles up to its limit and starts anew after a reset', () => {
    const backoff = new Backoff({ initialMs: 100, maxMs: 30_000, random: () => 1 })
    const delays = Array.from({ length: 11 }, () => backoff.next())
    expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000])
    backoff.reset()
    expect(backoff.next()).toBe(100)
  })

  it('spreads each delay over its upper half', () => {
    const backoff = new Backoff({ initialMs: 100, maxMs: 100, random: () => 0 })
    expect(backoff.next()).toBe(50)
  })

  it('can be capped for one kind of failure, and still grows', () => {
    const backoff = new Backoff({ initialMs: 100, maxMs: 30_000, random: () => 1 })
    for (let failure = 0; failure < 8; failure += 1) backoff.next(5000)
    expect(backoff.next(5000)).toBe(5000)
    expect(backoff.next()).toBe(30_000)
  })

  it('stays finite after any number of failures', () => {
    const backoff = new Backoff({ initialMs: 100, maxMs: 30_000, random: () => 1 })
    for (let failure = 0; failure < 5000; failure += 1) backoff.next()
    expect(backoff.next()).toBe(30_000)
  })
})
