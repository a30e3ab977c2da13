import { describe, expect, it } from 'vitest'
import type { ParsedRequestHead, ParsedResponseHead, RequestHead, ResponseHead } from '../../src/http1/messages.ts'
import { headMayProgress, parseRequestHead } from '../../src/http1/request-head.ts'
import { parseResponseHead } from '../../src/http1/response-head.ts'
import { limits } from './simulated-client.ts'

function request(text: string, within = limits): ParsedRequestHead {
  const bytes = Buffer.from(text, 'latin1')
  return parseRequestHead(bytes, 0, bytes.length, within)
}

function requestHead(fields: string, line = 'GET / HTTP/1.1'): RequestHead {
  const result = request(`${line}\r\nHost: a.test\r\n${fields}\r\n`)
  if (result.kind !== 'head') throw new Error(`the head was expected to be accepted, not ${JSON.stringify(result)}`)
  return result.head
}

function response(text: string, method = 'GET'): ParsedResponseHead {
  const bytes = Buffer.from(text, 'latin1')
  return parseResponseHead(bytes, 0, bytes.length, limits, method)
}

function responseHead(text: string, method = 'GET'): ResponseHead {
  const result = response(text, method)
  if (result.kind !== 'head') throw new Error(`the head was expected to be accepted, not ${JSON.stringify(result)}`)
  return result.head
}

describe('a request head', () => {
  it('holds what the proxy acts on', () => {
    const head = requestHead(
      'User-Agent: test\r\nX-Forwarded-For: 1.1.1.1\r\nReferer: /r\r\nX-Forwarded-For: 2.2.2.2\r\n' +
        'Cookie: a=1\r\nX-Request-ID: id\r\nCookie: b=2\r\nX-A: \t b \r\n',
      'GET /x?y HTTP/1.1',
    )
    expect(head).toEqual({
      method: 'GET',
      scheme: undefined,
      target: '/x?y',
      path: '/x',
      host: 'a.test',
      authority: 'a.test',
      minorVersion: 1,
      keepAlive: true,
      framing: 'none',
      contentLength: 0,
      expectContinue: false,
      finalRecipient: false,
      upgradeWebSocket: false,
      fields: 'User-Agent: test\r\nReferer: /r\r\nCookie: a=1\r\nCookie: b=2\r\nX-A: \t b \r\n',
      identity: { forwardedFor: '1.1.1.1, 2.2.2.2', forwardedHost: '', forwardedProto: '', requestId: 'id' },
      referer: '/r',
      userAgent: 'test',
      cookie: 'a=1; b=2',
    })
  })

  it('loses the fields that Connection names, wherever they stand, and keeps those that it may not name', () => {
    const head = requestHead(
      'X-Gone: 1\r\nX-Kept: 2\r\nConnection: x-gone, Host, Content-Length, X-Forwarded-For\r\n' +
        'Content-Length: 3\r\nX-GONE: 4\r\nConnection: Cookie, close\r\nCookie: a\r\nX-Forwarded-For: 1.1.1.1\r\n',
    )
    expect(head).toMatchObject({
      fields: 'X-Kept: 2\r\n',
      contentLength: 3,
      host: 'a.test',
      keepAlive: false,
      cookie: '',
    })
    expect(head.identity.forwardedFor).toBe('1.1.1.1')
  })

  it.each([
    ['HTTP/1.1', '', true],
    ['HTTP/1.1', 'Connection: close\r\n', false],
    ['HTTP/1.1', 'Connection: keep-alive, Close\r\n', false],
    ['HTTP/1.0', '', false],
    ['HTTP/1.0', 'Connection: Keep-Alive\r\n', true],
    ['HTTP/1.0', 'Connection: x, keep-alive\r\n', true],
    ['HTTP/1.0', 'Connection: keep-alive\r\nConnection: close\r\n', false],
    ['HTTP/1.7', '', true],
  ])('of %s with %j keeps the connection: %s', (version, fields, keepAlive) => {
    expect(requestHead(fields, `GET / ${version}`).keepAlive).toBe(keepAlive)
  })

  it.each([
    ['GET / HTTP/1.1', 'Connection: Upgrade\r\nUpgrade: WebSocket\r\n', true],
    ['GET / HTTP/1.1', 'Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n', true],
    ['GET / HTTP/1.1', 'Upgrade: websocket\r\n', false],
    ['GET / HTTP/1.0', 'Connection: Upgrade\r\nUpgrade: websocket\r\n', false],
    ['POST / HTTP/1.1', 'Connection: Upgrade\r\nUpgrade: websocket\r\n', false],
    ['GET / HTTP/1.1', 'Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n', false],
    ['GET / HTTP/1.1', 'Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n', false],
    ['GET / HTTP/1.1', 'Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n', false],
  ])('%s with %j asks for WebSocket: %s', (line, fields, upgradeWebSocket) => {
    const head = requestHead(fields, line)
    expect(head.upgradeWebSocket).toBe(upgradeWebSocket)
    expect(head.fields).toBe('')
  })

  it.each([
    ['Transfer-Encoding: gzip, chunked\r\n', 501],
    ['Transfer-Encoding: chunked;q=1\r\n', 400],
    ['Transfer-Encoding: chunked, chunked\r\n', 400],
    ['Transfer-Encoding: \x0bchunked\r\n', 400],
    ['Content-Length: 5, 5\r\n', 400],
    ['Content-Length: 9007199254740993\r\n', 413],
    ['Expect: 100-continue\r\nExpect: 100-continue\r\n', 417],
    ['X-A: b\r\n\t\r\n', 400],
    ['X-A\t: b\r\n', 400],
    ['X-A: b\0\r\n', 400],
  ])('with %j is refused with %i', (fields, status) => {
    expect(request(`POST / HTTP/1.1\r\nHost: a.test\r\n${fields}\r\n`)).toMatchObject({
      kind: 'refused',
      refusal: { status },
    })
  })

  it.each([
    ['GET  / HTTP/1.1\r\n', 400],
    ['GET / HTTP/1.1 \r\n', 400],
    ['GET / HTTP/11.1\r\n', 400],
    ['GET /a#b HTTP/1.1\r\n', 400],
    ['GET /\xe9 HTTP/1.1\r\n', 400],
    ['GET / HTTP/1.1\n', 400],
    ['GET / HTTP/1.1\r\r\n', 400],
    ['\rGET / HTTP/1.1\r\n', 400],
    ['PRI * HTTP/2.0\r\n', 505],
    ['CONNECT a.test:443 HTTP/1.1\r\n', 405],
    ['M'.repeat(33), 501],
  ])('that begins %j is refused with %i', (line, status) => {
    expect(request(`${line}Host: a.test\r\n\r\n`)).toMatchObject({ kind: 'refused', refusal: { status } })
  })

  it('has exactly the room that the limits give', () => {
    const line = 'GET /1234 HTTP/1.1'
    const fields = 'Host: a.test\r\nX: y\r\n\r\n'
    const exact = { maxRequestLineBytes: line.length, maxHeaderBytes: fields.length, maxHeaderCount: 2 }
    const text = `${line}\r\n${fields}`
    expect(request(text, exact).kind).toBe('head')
    for (const [limit, status] of [
      ['maxRequestLineBytes', 414],
      ['maxHeaderBytes', 431],
      ['maxHeaderCount', 431],
    ] as const) {
      const tight = { ...exact, [limit]: exact[limit] - 1 }
      expect(request(text, tight)).toMatchObject({ kind: 'refused', refusal: { status } })
    }
  })

  it('is refused for its size before its end has come', () => {
    expect(request(`GET /${'a'.repeat(17_000)}`)).toMatchObject({ refusal: { status: 414 } })
    expect(request(`GET / HTTP/1.1\r\nX: ${'a'.repeat(33_000)}`)).toMatchObject({ refusal: { status: 431 } })
    expect(request(`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(100)}X`)).toMatchObject({ refusal: { status: 431 } })
  })

  it('is worth another look while it is short, then once a line ended or it grew past a step', () => {
    const bytes = Buffer.from(`GET / HTTP/1.1\r\n${'a'.repeat(1500)}\r\n${'a'.repeat(2000)}`)
    expect(headMayProgress(bytes, 3, 15)).toBe(true)
    expect(headMayProgress(bytes, 1023, 1024)).toBe(true)
    expect(headMayProgress(bytes, 1024, 1025)).toBe(false)
    expect(headMayProgress(bytes, 1025, 1517)).toBe(false)
    expect(headMayProgress(bytes, 1025, 1518)).toBe(true)
    expect(headMayProgress(bytes, 1518, 2047)).toBe(false)
    expect(headMayProgress(bytes, 2047, 2048)).toBe(true)
  })
})

describe('a response head', () => {
  it('holds what the proxy acts on', () => {
    const text =
      'HTTP/1.1 200 Fine\r\nDate: d\r\nServer: s\r\nX-A : b\r\n' +
      'Content-Length: 3\r\nKeep-Alive: timeout=5, max=9\r\n\r\n'
    expect(response(text)).toEqual({
      kind: 'head',
      next: text.length,
      head: {
        status: 200,
        reason: 'Fine',
        minorVersion: 1,
        keepAlive: true,
        framing: 'length',
        contentLength: 3,
        announcedLength: -1,
        keepAliveTimeoutSeconds: 5,
        upgradeWebSocket: false,
        fields: 'Date: d\r\nServer: s\r\nX-A: b\r\n',
        hasDate: true,
        hasServer: true,
      },
    })
  })

  it.each([
    ['200', 'GET', 'Content-Length: 3\r\n', 'length', -1],
    ['200', 'GET', 'Transfer-Encoding: Chunked\r\n', 'chunked', -1],
    ['200', 'GET', '', 'close', -1],
    ['200', 'HEAD', 'Content-Length: 3\r\n', 'none', 3],
    ['200', 'HEAD', '', 'none', -1],
    ['304', 'GET', 'Content-Length: 3\r\n', 'none', 3],
    ['204', 'GET', 'Content-Length: 3\r\n', 'none', -1],
    ['103', 'GET', '', 'none', -1],
  ])('%s to %s with %j has framing %s', (status, method, fields, framing, announcedLength) => {
    const head = responseHead(`HTTP/1.1 ${status} OK\r\n${fields}\r\n`, method)
    expect(head).toMatchObject({ framing, announcedLength, keepAlive: framing !== 'close' })
  })

  it.each([
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
    'HTTP/1.1 204 OK\r\nContent-Length: x\r\n\r\n',
    'HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\n\r\n',
    'HTTP/1.1 200 OK\r\nX A: b\r\n\r\n',
    'HTTP/1.1 099 OK\r\n\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'HTTP/2.0 200 OK\r\n\r\n',
    'HTTP/1.1  200 OK\r\n\r\n',
    'HTTP/1.1 200 O\x07K\r\n\r\n',
    `HTTP/1.1 200 ${'a'.repeat(9000)}`,
  ])('%j is refused with 502', text => {
    expect(response(text)).toMatchObject({ kind: 'refused', refusal: { status: 502 } })
  })

  it('may leave its reason phrase out, with or without the space before it', () => {
    expect(responseHead('HTTP/1.1 200\r\n\r\n')).toMatchObject({ status: 200, reason: '' })
    expect(responseHead('HTTP/1.1 200 \r\n\r\n')).toMatchObject({ status: 200, reason: '' })
  })

  it('keeps what a request may not claim, and loses what Connection names', () => {
    const fields =
      'X-Request-ID: 1\r\nX-Forwarded-For: 2\r\nSet-Cookie: a\r\nDate: d\r\nConnection: Date\r\nUpgrade: h2c\r\n'
    expect(responseHead(`HTTP/1.1 200 OK\r\n${fields}\r\n`)).toMatchObject({
      fields: 'X-Request-ID: 1\r\nX-Forwarded-For: 2\r\nSet-Cookie: a\r\n',
      hasDate: false,
    })
  })

  it('opens a tunnel for WebSocket only', () => {
    const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: '
    expect(responseHead(`${head}websocket\r\n\r\n`)).toMatchObject({ upgradeWebSocket: true, keepAlive: false })
    expect(responseHead(`${head}h2c\r\n\r\n`)).toMatchObject({ upgradeWebSocket: false, keepAlive: false })
  })
})
