import { expect, test } from 'vitest'
import type { RequestHead } from '../../src/http1/messages.ts'
import { parseRequestHead } from '../../src/http1/request-head.ts'
import { identityOfConnection, identityOfForwardedHeaders, plainAddress } from '../../src/proxy/client-identity.ts'

const connection = { peerAddress: '10.0.0.9', secure: false, ports: { http: 80, https: 443 } }
const limits = { maxRequestLineBytes: 1_000, maxHeaderBytes: 10_000, maxHeaderCount: 100 }

function headWith(fields: string): RequestHead {
  const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: a.test:8080\r\n${fields}\r\n`, 'latin1')
  const parsed = parseRequestHead(bytes, 0, bytes.length, limits)
  if (parsed.kind !== 'head') throw new Error(`no head: ${parsed.kind}`)
  return parsed.head
}

test.each([
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8::1'],
  ['::ffff:0:1', '::ffff:0:1'],
])('the client %s of a dual-stack listener is shown as %s', (address, shown) => {
  expect(plainAddress(address)).toBe(shown)
})

test('a client that is not trusted is who its connection says', () => {
  const identity = identityOfConnection(
    headWith('X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n'),
    connection,
  )
  expect(identity).toMatchObject({ address: '10.0.0.9', secure: false, host: 'a.test' })
  expect(identity.forwarding).toBe(
    'X-Real-IP: 10.0.0.9\r\nX-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Host: a.test:8080\r\nX-Forwarded-Port: 80\r\n' +
      'X-Forwarded-Proto: http\r\nX-Forwarded-Scheme: http\r\nX-Scheme: http\r\n',
  )
})

test('behind a trusted proxy the client is the entry that this proxy added, not one that the client made up', () => {
  const identity = identityOfForwardedHeaders(headWith('X-Forwarded-For: 203.0.113.1, 192.0.2.1\r\n'), connection)
  expect(identity.address).toBe('192.0.2.1')
  expect(identity.forwarding).toContain('\r\nX-Forwarded-For: 203.0.113.1, 192.0.2.1, 10.0.0.9\r\n')
})

test.each([
  ['nothing', ''],
  ['no address', 'X-Forwarded-For: unknown\r\n'],
])('behind a trusted proxy that says %s the client is the connection', (_, fields) => {
  expect(identityOfForwardedHeaders(headWith(fields), connection).address).toBe('10.0.0.9')
})

test.each([
  ['shop.test:8443', 'shop.test'],
  ['shop.test, other.test', 'shop.test'],
  ['[2001:db8::1]:443', '[2001:db8::1]'],
  ['evil.test/path', ''],
  ['evil.test\\@x', ''],
])('the forwarded host %j can name %j in a redirect', (value, host) => {
  expect(identityOfForwardedHeaders(headWith(`X-Forwarded-Host: ${value}\r\n`), connection).host).toBe(host)
})
