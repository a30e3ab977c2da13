import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { AccessLog, type AccessRecord, escapeText, formatJson, formatText } from '../../src/proxy/access-log.ts'

const record: AccessRecord = {
  clientAddress: '192.0.2.1',
  method: 'GET',
  target: '/x',
  minorVersion: 1,
  host: 'a.test',
  status: 200,
  bodyBytesSent: 12,
  referer: '',
  userAgent: 'curl/8',
  requestBytes: 80,
  requestMs: 1.6,
  upstreamName: 'shop-web-80',
  upstreamAddress: '10.0.0.1:8080',
  upstreamResponseBytes: '12',
  upstreamSeconds: '0.001',
  upstreamStatus: '200',
  requestId: '0123456789abcdef0123456789abcdef',
  namespace: 'shop',
  ingress: 'web',
  service: 'web',
  reason: '',
}
const times = { logTime: '23/Nov/2026:08:15:00 +0000', isoTime: '2026-11-23T08:15:00+00:00' }

test('the text is that of ingress-nginx', () => {
  expect(formatText(record, times)).toBe(
    '192.0.2.1 - - [23/Nov/2026:08:15:00 +0000] "GET /x HTTP/1.1" 200 12 "-" "curl/8" 80 0.002 ' +
      '[shop-web-80] [] 10.0.0.1:8080 12 0.001 200 0123456789abcdef0123456789abcdef\n',
  )
})

test('nothing that a client sends ends a line or a quoted field', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const escaped = escapeText(text)
      return /^[\x20-\x7e]*$/.test(escaped) && !escaped.includes('"') && !/\\(?!x)/.test(escaped)
    }),
  )
  const hostile = { ...record, userAgent: '"\r\n\u0000\\', target: '/"\n', referer: '\u00ff' }
  expect(formatText(hostile, times).split('\n')).toHaveLength(2)
  expect(formatJson(hostile, times).split('\n')).toHaveLength(2)
})

test('lines go out in batches: two under way, a bounded text behind them, the rest dropped and counted', () => {
  const batches: string[] = []
  let dropped = 0
  const log = new AccessLog(
    batch => batches.push(batch),
    lines => {
      dropped += lines
    },
  )
  for (let index = 0; index < 20_000; index++) log.write(record, times)
  expect(batches).toHaveLength(2)
  expect(dropped).toBeGreaterThan(0)
  const lineCharacters = formatText(record, times).length
  const written = (): number => batches.reduce((sum, batch) => sum + batch.length, 0) / lineCharacters
  while (written() + dropped < 20_000) log.written()
  log.flush()
  expect(written() + dropped).toBe(20_000)
})

test('a quiet worker flushes what it has', () => {
  const batches: string[] = []
  const log = new AccessLog(
    batch => batches.push(batch),
    () => {},
  )
  log.write(record, times)
  expect(batches).toEqual([])
  log.flush()
  expect(batches).toEqual([formatText(record, times)])
  log.flush()
  expect(batches).toHaveLength(1)
})
