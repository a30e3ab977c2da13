import { describe, expect, it } from 'vitest'
import type { RequestHead, ResponseHead } from '../../src/http1/messages.ts'
import { parseRequestHead } from '../../src/http1/request-head.ts'
import { parseResponseHead } from '../../src/http1/response-head.ts'
import {
  reasonPhrase,
  serialiseForwarding,
  serialiseInterimHead,
  serialiseOwnResponse,
  serialiseRequestHead,
  serialiseResponseHead,
} from '../../src/http1/serialise.ts'
import { limits } from './simulated-client.ts'

function requestHead(text: string): RequestHead {
  const bytes = Buffer.from(text, 'latin1')
  const result = parseRequestHead(bytes, 0, bytes.length, limits)
  if (result.kind !== 'head') throw new Error('the head was expected to be accepted')
  return result.head
}

function responseHead(text: string): ResponseHead {
  const bytes = Buffer.from(text, 'latin1')
  const result = parseResponseHead(bytes, 0, bytes.length, limits, 'GET')
  if (result.kind !== 'head') throw new Error('the head was expected to be accepted')
  return result.head
}

const extras = {
  host: 'a.test',
  forwarding: serialiseForwarding({
    forwardedFor: '192.0.2.7',
    forwardedHost: 'a.test',
    forwardedPort: '443',
    forwardedProto: 'https',
    realIp: '192.0.2.7',
  }),
  requestId: 'id',
}

describe('a request for the server behind the proxy', () => {
  it('has the client fields, the proxy fields and one framing field', () => {
    const head = requestHead(
      'POST /x HTTP/1.0\r\nhost: A.test\r\nX-A: b\r\nContent-Length: 03\r\nProxy: 6.6.6.6\r\n\r\n',
    )
    expect(serialiseRequestHead(head, { ...extras, additionalFields: 'X-C: d\r\n' })).toBe(
      'POST /x HTTP/1.1\r\nHost: a.test\r\nX-A: b\r\nX-Request-ID: id\r\nX-Real-IP: 192.0.2.7\r\n' +
        'X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Host: a.test\r\nX-Forwarded-Port: 443\r\n' +
        'X-Forwarded-Proto: https\r\nX-Forwarded-Scheme: https\r\nX-Scheme: https\r\nX-C: d\r\nContent-Length: 3\r\n\r\n',
    )
  })

  it('may have another target and another framing', () => {
    const head = requestHead('POST /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n')
    expect(serialiseRequestHead(head, extras)).toContain('\r\nTransfer-Encoding: chunked\r\n')
    const text = serialiseRequestHead(head, { ...extras, target: '/y', framing: 'length', contentLength: 7 })
    expect(text.startsWith('POST /y HTTP/1.1\r\n')).toBe(true)
    expect(text).toContain('\r\nContent-Length: 7\r\n')
    expect(text).not.toContain('Transfer-Encoding')
  })

  it('asks for an upgrade in our words', () => {
    const head = requestHead(
      'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: upgrade, X-A\r\nUpgrade: WebSocket\r\nX-A: b\r\n\r\n',
    )
    const text = serialiseRequestHead(head, extras)
    expect(text).toContain('\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    expect(text).not.toContain('X-A')
  })
})

describe('a response for the client', () => {
  const client = { connection: undefined, date: 'now', server: 'proxy', contentLength: 2 } as const

  it('gets Date and Server only where they are missing', () => {
    const without = responseHead('HTTP/1.0 200 Fine\r\nContent-Length: 2\r\nConnection: close\r\n\r\n')
    expect(serialiseResponseHead(without, { ...client, framing: 'length' })).toBe(
      'HTTP/1.1 200 Fine\r\nDate: now\r\nServer: proxy\r\nContent-Length: 2\r\n\r\n',
    )
    const both = responseHead('HTTP/1.1 200 OK\r\nDate: then\r\nServer: other\r\nContent-Length: 2\r\n\r\n')
    expect(serialiseResponseHead(both, { ...client, framing: 'length', connection: 'close' })).toBe(
      'HTTP/1.1 200 OK\r\nDate: then\r\nServer: other\r\nContent-Length: 2\r\nConnection: close\r\n\r\n',
    )
  })

  it('to the end of the connection may go out in chunks', () => {
    const head = responseHead('HTTP/1.1 200 OK\r\n\r\n')
    expect(serialiseResponseHead(head, { ...client, framing: 'chunked' })).toContain(
      '\r\nTransfer-Encoding: chunked\r\n',
    )
    expect(serialiseResponseHead(head, { ...client, framing: 'close' })).not.toMatch(/chunked|Content-Length/)
  })

  it('of an upgrade and of early hints has no field of ours that it must not have', () => {
    const upgrade = responseHead(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nX-A: b\r\n\r\n',
    )
    expect(serialiseResponseHead(upgrade, { ...client, framing: 'none', connection: 'close' })).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nX-A: b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
    const hints = responseHead('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\n\r\n')
    expect(serialiseInterimHead(hints)).toBe('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')
  })
})

describe('an answer of the proxy itself', () => {
  const own = { date: 'now', server: 'proxy', connection: 'close' } as const

  it('names its status and nothing else', () => {
    expect(serialiseOwnResponse({ ...own, status: 404 })).toBe(
      'HTTP/1.1 404 Not Found\r\nDate: now\r\nServer: proxy\r\nContent-Type: text/plain; charset=utf-8\r\n' +
        'Content-Length: 14\r\nConnection: close\r\n\r\n404 Not Found\n',
    )
  })

  it('to HEAD tells the length and sends no body', () => {
    const text = serialiseOwnResponse({ ...own, status: 502, headOnly: true })
    expect(text).toContain('Content-Length: 16\r\n')
    expect(text.endsWith('\r\n\r\n')).toBe(true)
  })

  it('carries more fields where asked', () => {
    const additionalFields = 'Location: https://a.test/\r\n'
    expect(serialiseOwnResponse({ ...own, status: 308, additionalFields, connection: undefined })).toMatch(
      /^HTTP\/1\.1 308 Permanent Redirect\r\n(?:.*\r\n)*Location: https:\/\/a\.test\/\r\n(?!.*Connection)/,
    )
  })

  it('without content has no length', () => {
    expect(serialiseOwnResponse({ ...own, status: 204 })).not.toContain('Content-Length')
  })

  it('has a reason phrase for every status', () => {
    expect([reasonPhrase(431), reasonPhrase(418), reasonPhrase(299)]).toEqual([
      'Request Header Fields Too Large',
      'Client Error',
      'Success',
    ])
  })
})
