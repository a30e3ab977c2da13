import { describe, expect, it } from 'vitest'
import { ApiError, isExpired, parseRetryAfter, parseStatus } from '../../src/kube/api-error.ts'

describe('parseRetryAfter', () => {
  it('reads seconds and dates, and nothing else', () => {
    const nowMs = Date.parse('Tue, 01 Jan 2030 00:00:00 GMT')
    expect(parseRetryAfter('3', nowMs)).toBe(3000)
    expect(parseRetryAfter('Tue, 01 Jan 2030 00:00:05 GMT', nowMs)).toBe(5000)
    expect(parseRetryAfter('Mon, 31 Dec 2029 00:00:00 GMT', nowMs)).toBe(0)
    expect(parseRetryAfter('soon', nowMs)).toBeUndefined()
    expect(parseRetryAfter(undefined, nowMs)).toBeUndefined()
  })
})

describe('ApiError', () => {
  it('takes the time to wait from the Status when there is no header', () => {
    const body = { reason: 'TooManyRequests', details: { retryAfterSeconds: 2 } }
    expect(new ApiError({ status: 429, body, request: 'GET /x' }).retryAfterMs).toBe(2000)
  })

  it('says what was asked and what came, also when the answer is not a Status', () => {
    const body = parseStatus('<html>bad gateway</html>')
    expect(new ApiError({ status: 502, body, request: 'GET /x' }).message).toBe('GET /x: <html>bad gateway</html>')
    expect(new ApiError({ status: 502, body: parseStatus(''), request: 'GET /x' }).message).toBe(
      'GET /x: the API server answered 502',
    )
  })

  it('is expired by status or by reason', () => {
    const expired = (status: number, reason: string) =>
      isExpired(new ApiError({ status, body: { reason }, request: '' }))
    expect(expired(410, '')).toBe(true)
    expect(expired(500, 'Expired')).toBe(true)
    expect(expired(404, 'NotFound')).toBe(false)
  })
})
