import { describe, expect, test } from 'vitest'
import type { RetryCondition } from '../../src/api/settings.ts'
import {
  type FailedAttempt,
  isRetriedStatus,
  mayRetry,
  mayRetryResponse,
  RetryBudget,
  type RetryPolicy,
  retryPolicy,
} from '../../src/proxy/retry-policy.ts'
import { defaultSettings } from '../../src/routing/default-settings.ts'

const timeouts = { connectMs: 5_000, readMs: 60_000 }
const policyOf = (...retryOn: RetryCondition[]): RetryPolicy => retryPolicy({ retryOn }, defaultSettings, timeouts)
const safe = retryPolicy({}, defaultSettings, timeouts)

function retries(policy: RetryPolicy, failed: Partial<FailedAttempt>): boolean {
  const attempt: FailedAttempt = {
    code: 'upstream_closed',
    sent: true,
    staleConnection: false,
    lostOnNew: 1,
    idempotent: true,
    replayable: true,
    elsewhere: true,
    ...failed,
  }
  return mayRetry(policy, attempt, new RetryBudget())
}

const unsent = { code: 'connect_failed', sent: false, idempotent: false, replayable: false } as const
const stale = { staleConnection: true, elsewhere: false } as const

describe('where nobody says otherwise', () => {
  test.each([
    ['what was not sent', unsent, true],
    ['what was not sent in time', { ...unsent, code: 'connect_timeout' }, true],
    ['what a kept connection lost', stale, true],
    ['what it lost of a POST', { ...stale, idempotent: false }, false],
    ['what it lost of a body that is gone', { ...stale, replayable: false }, false],
    ['what a new connection lost', {}, true],
    ['what it lost where there is no other endpoint', { elsewhere: false }, false],
    ['what two new connections lost', { lostOnNew: 2 }, false],
    ['what was not answered in time', { code: 'upstream_read_timeout' }, false],
    ['what was answered with nonsense', { code: 'upstream_malformed' }, false],
    ['what broke in the middle of the response', { code: 'upstream_truncated' }, false],
    ['what the client gave up', { code: 'client_gone' }, false],
  ] as const)('%s', (_, failed, expected) => {
    expect(retries(safe, failed)).toBe(expected)
  })
})

describe('where the Ingress says so', () => {
  test.each([
    ['error', {}, true],
    ['error', { code: 'upstream_read_timeout' }, false],
    ['timeout', { code: 'upstream_read_timeout' }, true],
    ['timeout', unsent, false],
    ['timeout', { ...unsent, code: 'connect_timeout' }, true],
    ['http_502', stale, false],
    ['invalid_header', { code: 'upstream_malformed' }, true],
    ['off', unsent, false],
  ] as const)('%s: %j', (condition, failed, expected) => {
    expect(retries(policyOf(condition), failed)).toBe(expected)
  })

  test('only idempotent requests, unless it says that, too', () => {
    expect(retries(policyOf('error'), { idempotent: false })).toBe(false)
    expect(retries(policyOf('error', 'non_idempotent'), { idempotent: false })).toBe(true)
    expect(retries(policyOf('error', 'non_idempotent'), { idempotent: false, replayable: false })).toBe(false)
  })

  test('only to an endpoint that was not tried', () => {
    expect(retries(policyOf('error'), { elsewhere: false })).toBe(false)
  })

  test('a status', () => {
    const policy = policyOf('http_503', 'http_429')
    expect([503, 429, 502, 200].filter(status => isRetriedStatus(policy, status))).toEqual([503, 429])
    expect([503, 429].filter(status => isRetriedStatus(safe, status))).toEqual([])
    const repeatable = { idempotent: true, replayable: true, elsewhere: true }
    expect(mayRetryResponse(policy, repeatable, new RetryBudget())).toBe(true)
    expect(mayRetryResponse(policy, { ...repeatable, idempotent: false }, new RetryBudget())).toBe(false)
  })
})

test('attempts and time are bounded, whatever the Ingress says', () => {
  expect(safe).toMatchObject({ maxAttempts: 3, triesAreExact: false, withinMs: 65_000 })
  expect(retryPolicy({ upstreamTries: 100 }, defaultSettings, timeouts).maxAttempts).toBe(3)
  expect(retryPolicy({ upstreamTries: 0, retryWithinMs: 0 }, defaultSettings, timeouts)).toMatchObject(safe)
  expect(retryPolicy({ retryWithinMs: 2_000, upstreamTries: 2 }, defaultSettings, timeouts)).toMatchObject({
    maxAttempts: 2,
    triesAreExact: true,
    withinMs: 2_000,
  })
  expect(policyOf('off').maxAttempts).toBe(1)
})

test('when everything fails, at most one request in five is sent again', () => {
  const budget = new RetryBudget()
  let sentAgain = 0
  for (let request = 0; request < 1_000; request++) {
    budget.earn()
    while (budget.take()) sentAgain++
  }
  expect(sentAgain).toBeGreaterThan(150)
  expect(sentAgain).toBeLessThanOrEqual(210)
})
