import { describe, expect, test } from 'vitest'
import { host, type InProcess, turn } from '../proxy/in-process.ts'
import { withOneBackend } from '../proxy/one-backend.ts'
import { ok, type RawBackend } from '../proxy/raw-backend.ts'

let backend: RawBackend
let proxy: InProcess

withOneBackend(one => {
  ;({ backend, proxy } = one)
})

describe('a request', () => {
  test('goes to the endpoint and its response comes back with Date, Server and Content-Length', async () => {
    const client = await proxy.client()
    client.get('a.test', '/x?y=1')
    const response = await client.response()
    expect(response.status).toBe(200)
    expect(response.body).toBe('hello from /x?y=1')
    expect(response.headers.get('server')).toEqual(['ingress-fleet'])
    expect(response.headers.get('date')?.[0]).toMatch(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/)
    expect(response.headers.get('content-length')).toEqual(['17'])
    expect(response.headers.has('connection')).toBe(false)
  })

  test('tells the endpoint who asked, and not what the client claimed', async () => {
    const client = await proxy.client()
    client.get(
      'A.test:80',
      '/',
      'X-Forwarded-For: 192.0.2.9\r\nX-Forwarded-Proto: https\r\nX-Real-IP: 192.0.2.9\r\nX-Forwarded-Host: evil.test\r\nConnection: X-Hop\r\nX-Hop: 1\r\nX-Kept: 1\r\n',
    )
    await client.response()
    const headers = backend.requests[0]?.headers
    expect(headers?.get('host')).toEqual(['A.test:80'])
    expect(headers?.get('x-forwarded-for')).toEqual(['127.0.0.1'])
    expect(headers?.get('x-real-ip')).toEqual(['127.0.0.1'])
    expect(headers?.get('x-forwarded-proto')).toEqual(['http'])
    expect(headers?.get('x-forwarded-scheme')).toEqual(['http'])
    expect(headers?.get('x-scheme')).toEqual(['http'])
    expect(headers?.get('x-forwarded-port')).toEqual(['80'])
    expect(headers?.get('x-forwarded-host')).toEqual(['A.test:80'])
    expect([...(headers?.values() ?? [])].flat().join(' ')).not.toMatch(/192\.0\.2\.9|evil\.test/)
    expect(headers?.get('x-request-id')?.[0]).toMatch(/^[0-9a-f]{32}$/)
    expect(headers?.has('x-hop')).toBe(false)
    expect(headers?.get('x-kept')).toEqual(['1'])
  })

  test('keeps the X-Request-ID of the client, unless it could not stand in a log', async () => {
    const client = await proxy.client()
    client.get('a.test', '/', 'X-Request-ID: abc-1\r\n')
    await client.response()
    client.get('a.test', '/', 'X-Request-ID: a"b c\r\n')
    await client.response()
    expect(backend.requests.map(request => request.headers.get('x-request-id')?.[0])).toEqual([
      'abc-1',
      expect.stringMatching(/^[0-9a-f]{32}$/),
    ])
  })

  test('is believed about its client when the proxy in front is trusted', async () => {
    await proxy.publish({ settings: { trustForwardedHeaders: true } })
    const client = await proxy.client()
    client.get(
      'a.test',
      '/',
      'X-Forwarded-For: 198.51.100.1, 192.0.2.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.test\r\n',
    )
    await client.response()
    const headers = backend.requests[0]?.headers
    expect(headers?.get('x-forwarded-for')).toEqual(['198.51.100.1, 192.0.2.9, 127.0.0.1'])
    expect(headers?.get('x-real-ip')).toEqual(['192.0.2.9'])
    expect(headers?.get('x-forwarded-proto')).toEqual(['https'])
    expect(headers?.get('x-forwarded-port')).toEqual(['443'])
    expect(headers?.get('x-forwarded-host')).toEqual(['shop.test'])
  })

  test('for an https URI gets 421 in the clear, unless a trusted proxy in front says that its client came over TLS', async () => {
    const request = 'GET https://a.test/x HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-Proto: https\r\n\r\n'
    const misdirected = await proxy.client()
    misdirected.send(request)
    expect(await misdirected.response()).toMatchObject({ status: 421, body: '421 Misdirected Request\n' })
    await misdirected.untilClosed()
    expect(backend.requests).toEqual([])
    expect(proxy.stats.errors.misdirected).toBe(1)
    await proxy.publish({ settings: { trustForwardedHeaders: true } })
    const client = await proxy.client()
    client.send(request)
    expect((await client.response()).body).toBe('hello from /x')
    expect(backend.requests[0]?.headers.get('x-forwarded-proto')).toEqual(['https'])
  })

  test('for an https URI of a host that nobody serves gets 421 in the clear, too', async () => {
    const client = await proxy.client()
    client.send('GET https://other.test/healthz HTTP/1.1\r\nHost: a.test\r\n\r\n')
    expect((await client.response()).status).toBe(421)
  })

  test('carries the Host of upstream-vhost where the route asks for it', async () => {
    await proxy.publish({ hosts: { 'a.test': host('a.test', 'app', { options: { upstreamVhost: 'inner.test' } }) } })
    const client = await proxy.client()
    client.get('a.test')
    await client.response()
    expect(backend.requests[0]?.headers.get('host')).toEqual(['inner.test'])
  })

  test('without Date and Server of its own is not given second ones', async () => {
    backend.answer = (_, connection) =>
      connection.send('HTTP/1.1 200 OK\r\nDate: then\r\nServer: mine\r\nContent-Length: 0\r\n\r\n')
    const client = await proxy.client()
    client.get('a.test')
    const response = await client.response()
    expect(response.headers.get('date')).toEqual(['then'])
    expect(response.headers.get('server')).toEqual(['mine'])
  })
})

describe('OPTIONS with Max-Forwards: 0', () => {
  test('is answered by the proxy, which tells the methods that it takes, and keeps the connection', async () => {
    const client = await proxy.client()
    client.send('OPTIONS /x HTTP/1.1\r\nHost: a.test\r\nMax-Forwards: 0\r\n\r\n')
    const response = await client.response()
    expect(response).toMatchObject({ status: 204, body: '' })
    expect(response.headers.get('allow')).toEqual(['GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH'])
    expect(response.headers.has('content-length')).toBe(false)
    client.get('a.test', '/next')
    expect((await client.response()).body).toBe('hello from /next')
    expect(backend.requests.map(({ target }) => target)).toEqual(['/next'])
  })

  test('gets what the route says before its endpoint would be asked', async () => {
    const refused = host('a.test', 'app', { refusal: { status: 503, reason: 'because' } })
    await proxy.publish({ hosts: { 'a.test': refused } })
    const client = await proxy.client()
    client.send('OPTIONS /x HTTP/1.1\r\nHost: a.test\r\nMax-Forwards: 0\r\n\r\n')
    expect((await client.response()).status).toBe(503)
    client.send('OPTIONS /x HTTP/1.1\r\nHost: other.test\r\nMax-Forwards: 0\r\n\r\n')
    expect((await client.response()).status).toBe(404)
  })

  test('is answered before its body has come, and the connection ends', async () => {
    const client = await proxy.client()
    client.send(
      'OPTIONS /x HTTP/1.1\r\nHost: a.test\r\nMax-Forwards: 0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
    )
    const response = await client.response()
    expect(response.status).toBe(204)
    expect(response.headers.get('connection')).toEqual(['close'])
    await client.untilClosed()
    expect(client.unread).toBe('')
    expect(backend.connections).toEqual([])
  })
})

describe('connections', () => {
  test('are used again on both sides', async () => {
    const client = await proxy.client()
    for (let round = 0; round < 20; round++) {
      client.get('a.test', `/${round}`)
      expect((await client.response()).body).toBe(`hello from /${round}`)
    }
    expect(backend.connections).toHaveLength(1)
    await proxy.until(stats => stats.requests === 20)
    expect(proxy.stats).toMatchObject({ connectionsAccepted: 1, upstreamConnects: 1, upstreamReuses: 19 })
  })

  test('to an endpoint are shared by clients', async () => {
    for (let round = 0; round < 3; round++) {
      const client = await proxy.client()
      client.get('a.test')
      await client.response()
      client.destroy()
    }
    expect(backend.connections).toHaveLength(1)
  })

  test('are closed after the response when the client says close', async () => {
    const client = await proxy.client()
    client.get('a.test', '/', 'Connection: close\r\n')
    const response = await client.response()
    expect(response.headers.get('connection')).toEqual(['close'])
    await client.untilClosed()
  })

  test('are closed after as many requests as the settings allow', async () => {
    await proxy.publish({ settings: { limits: { maxRequestsPerConnection: 2 } } })
    const client = await proxy.client()
    client.get('a.test')
    expect((await client.response()).headers.has('connection')).toBe(false)
    client.get('a.test')
    expect((await client.response()).headers.get('connection')).toEqual(['close'])
    await client.untilClosed()
  })

  test('over the limit are closed at once while the others are busy', async () => {
    await proxy.publish({ settings: { limits: { maxConnections: 1 } } })
    backend.answer = () => {}
    const first = await proxy.client()
    first.get('a.test')
    await proxy.until(() => backend.requests.length === 1)
    const second = await proxy.client()
    await second.untilClosed()
    expect(proxy.stats.connectionsRefused).toBe(1)
  })

  test('with several requests sent at once serve them one after another, in order', async () => {
    const client = await proxy.client()
    const texts = Array.from({ length: 10 }, (_, index) => `GET /${index} HTTP/1.1\r\nHost: a.test\r\n\r\n`)
    client.send(texts.join(''))
    for (let index = 0; index < 10; index++) expect((await client.response()).body).toBe(`hello from /${index}`)
    expect(backend.requests.map(request => request.target)).toEqual(texts.map((_, index) => `/${index}`))
    expect(backend.connections).toHaveLength(1)
  })

  test('that the client half-closes still get every answer', async () => {
    const client = await proxy.client()
    client.send('GET /1 HTTP/1.1\r\nHost: a.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.test\r\n\r\n')
    client.socket.end()
    expect((await client.response()).body).toBe('hello from /1')
    expect((await client.response()).body).toBe('hello from /2')
    await client.untilClosed()
  })

  test('of HTTP/1.0 are closed by default and kept when asked', async () => {
    const client = await proxy.client()
    client.send('GET /1 HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n')
    expect((await client.response()).headers.get('connection')).toEqual(['keep-alive'])
    client.send('GET /2 HTTP/1.0\r\nHost: a.test\r\n\r\n')
    expect((await client.response()).headers.get('connection')).toEqual(['close'])
    await client.untilClosed()
  })
})

describe('bodies', () => {
  test('with a length arrive whole, however they are cut', async () => {
    const client = await proxy.client()
    client.send('POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 11\r\n\r\nhel')
    await proxy.until(stats => stats.requestsInFlight === 1)
    client.send('lo ')
    await turn()
    client.send('world')
    await client.response()
    expect(backend.requests[0]).toMatchObject({ method: 'POST', body: 'hello world' })
    expect(backend.requests[0]?.headers.get('content-length')).toEqual(['11'])
  })

  test('in chunks arrive in chunks, and the next request on the connection is served', async () => {
    const client = await proxy.client()
    client.send(
      'POST /p HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\nGET /next HTTP/1.1\r\nHost: a.test\r\n\r\n',
    )
    await client.response()
    expect((await client.response()).body).toBe('hello from /next')
    expect(backend.requests[0]?.body).toBe('hello world')
    expect(backend.requests[0]?.headers.get('transfer-encoding')).toEqual(['chunked'])
    expect(backend.connections[0]?.received).not.toContain('X-Trailer')
  })

  test('of responses in chunks go to HTTP/1.1 in chunks, and the connections are kept', async () => {
    backend.answer = (_, connection) =>
      connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n')
    const client = await proxy.client()
    for (let round = 0; round < 2; round++) {
      client.get('a.test')
      const response = await client.response()
      expect(response.headers.get('transfer-encoding')).toEqual(['chunked'])
      expect(response.body).toBe('hello world')
    }
    expect(backend.connections).toHaveLength(1)
  })

  test('of responses in chunks go to HTTP/1.0 until the connection closes', async () => {
    backend.answer = (_, connection) =>
      connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n')
    const client = await proxy.client()
    client.send('GET / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n')
    const response = await client.response()
    expect(response.headers.has('transfer-encoding')).toBe(false)
    expect(response.headers.get('connection')).toEqual(['close'])
    expect(response.body).toBe('hello')
  })

  test('of responses that end with the connection go to HTTP/1.1 in chunks, and the client is kept', async () => {
    backend.answer = (request, connection) => connection.end(`HTTP/1.1 200 OK\r\n\r\nto the end of ${request.target}`)
    const client = await proxy.client()
    for (const target of ['/1', '/2']) {
      client.get('a.test', target)
      expect((await client.response()).body).toBe(`to the end of ${target}`)
    }
    expect(backend.connections).toHaveLength(2)
  })

  test('do not follow answers to HEAD, whose length is told', async () => {
    backend.answer = (_, connection) => connection.send('HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n')
    const client = await proxy.client()
    for (let round = 0; round < 2; round++) {
      client.send('HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n')
      const response = await client.response('HEAD')
      expect(response.headers.get('content-length')).toEqual(['400'])
    }
    expect(backend.connections).toHaveLength(1)
    expect(client.unread).toBe('')
  })

  test('do not follow 304 and 204', async () => {
    backend.answer = ({ target }, connection) =>
      connection.send(
        target === '/304'
          ? 'HTTP/1.1 304 Not Modified\r\nContent-Length: 400\r\nETag: "x"\r\n\r\n'
          : 'HTTP/1.1 204 No Content\r\n\r\n',
      )
    const client = await proxy.client()
    client.get('a.test', '/304')
    expect((await client.response()).headers.get('content-length')).toEqual(['400'])
    client.get('a.test', '/204')
    expect((await client.response()).headers.has('content-length')).toBe(false)
    expect(backend.connections).toHaveLength(1)
  })
})

describe('interim responses', () => {
  test('100 Continue is answered before the body, and that of the endpoint is swallowed', async () => {
    backend.answer = (_, connection) => connection.send(`HTTP/1.1 100 Continue\r\n\r\n${ok('done')}`)
    const client = await proxy.client()
    client.send('POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n')
    expect((await client.response()).status).toBe(100)
    client.send('hello')
    expect(await client.response()).toMatchObject({ status: 200, body: 'done' })
    expect(backend.requests[0]?.headers.has('expect')).toBe(false)
  })

  test('103 is relayed to HTTP/1.1 and not to HTTP/1.0', async () => {
    backend.answer = (_, connection) =>
      connection.send(`HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n${ok('done')}`)
    const client = await proxy.client()
    client.get('a.test')
    expect((await client.response()).headers.get('link')).toEqual(['</a.css>; rel=preload'])
    expect((await client.response()).status).toBe(200)
    client.send('GET / HTTP/1.0\r\nHost: a.test\r\n\r\n')
    expect((await client.response()).status).toBe(200)
  })

  test('without end are 502', async () => {
    backend.answer = (_, connection) => connection.send(`${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000)}${ok('done')}`)
    const client = await proxy.client()
    client.get('a.test')
    expect((await client.response()).status).toBe(502)
  })
})
