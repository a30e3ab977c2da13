import { once } from 'node:events'
import { connect } from 'node:net'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { host, type InProcess, turn } from '../proxy/in-process.ts'
import { withOneBackend } from '../proxy/one-backend.ts'
import { deadPort, ok, RawBackend } from '../proxy/raw-backend.ts'

let backend: RawBackend
let proxy: InProcess

withOneBackend(one => {
  ;({ backend, proxy } = one)
})

describe('a client', () => {
  test('that goes away before its answer frees the endpoint at once', async () => {
    backend.answer = () => {}
    const client = await proxy.client()
    client.get('a.test')
    await proxy.until(stats => stats.upstreamOpen === 1 && backend.requests.length === 1)
    client.socket.resetAndDestroy()
    await backend.connections[0]?.closed
    await proxy.until(stats => stats.requestsInFlight === 0)
    expect(proxy.stats.errors.client_gone).toBe(1)
  })

  test.each(['resetAndDestroy', 'destroy'] as const)(
    'frees the endpoint, too, when all of its body has come: %s',
    async by => {
      backend.answer = () => {}
      const client = await proxy.client()
      client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello')
      await proxy.until(() => backend.requests.length === 1)
      client.socket[by]()
      await backend.connections[0]?.closed
      await proxy.until(stats => stats.requestsInFlight === 0)
      expect(proxy.stats.errors.client_gone).toBe(1)
    },
    8_000,
  )

  test('that closes without a reset frees the endpoint, too', async () => {
    backend.answer = () => {}
    const client = await proxy.client()
    client.get('a.test')
    await proxy.until(() => backend.requests.length === 1)
    client.destroy()
    await backend.connections[0]?.closed
    await proxy.until(stats => stats.requestsInFlight === 0)
    expect(proxy.stats.errors.client_gone).toBe(1)
  })

  test('that goes away in the middle of its body never makes the request whole', async () => {
    const client = await proxy.client()
    client.send('POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhello')
    await proxy.until(() => backend.connections[0]?.received.endsWith('hello') === true)
    client.socket.end()
    await backend.connections[0]?.closed
    expect(backend.requests).toEqual([])
  })

  test('that sends a head too slowly gets 408', async () => {
    await proxy.publish({ settings: { timeouts: { clientHeadMs: 50 } } })
    const client = await proxy.client()
    client.send('GET / HTTP/1.1\r\nHost:')
    expect((await client.response()).status).toBe(408)
    await client.untilClosed()
  })

  test('that has sent the beginning of its next head gets the time that a head gets, not that of an idle client', async () => {
    const client = await proxy.client()
    await proxy.publish({
      settings: { timeouts: { keepAliveMs: 50, clientHeadMs: 60_000, slowClientGraceMs: 60_000 } },
    })
    // The proxy answers the first one by itself, so that the second one begins in the same read.
    client.send('GET /healthz HTTP/1.1\r\nHost: nobody.test\r\n\r\nGET /next HTTP/1.1\r\nHost:')
    expect((await client.response()).status).toBe(200)
    await new Promise(resolve => {
      setTimeout(resolve, 500)
    })
    client.send(' a.test\r\n\r\n')
    expect((await client.response()).body).toBe('hello from /next')
  })

  test('that does not go on with the beginning of its next head gets 408 when that time is over', async () => {
    const client = await proxy.client()
    await proxy.publish({
      settings: { timeouts: { keepAliveMs: 3_600_000, clientHeadMs: 50, slowClientGraceMs: 3_600_000 } },
    })
    client.send('GET /healthz HTTP/1.1\r\nHost: nobody.test\r\n\r\nGET /next HTTP/1.1\r\nHost:')
    expect((await client.response()).status).toBe(200)
    expect((await client.response()).status).toBe(408)
    await client.untilClosed()
  })

  test('that sends nothing is closed without an answer', async () => {
    await proxy.publish({ settings: { timeouts: { clientHeadMs: 50 } } })
    const client = await proxy.client()
    await client.untilClosed()
    expect(client.receivedBytes).toBe(0)
  })

  test('that sends its body too slowly gets 408, and the endpoint is freed', async () => {
    await proxy.publish({ settings: { timeouts: { clientBodyMs: 50 } } })
    const client = await proxy.client()
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhello')
    expect((await client.response()).status).toBe(408)
    await client.untilClosed()
    await backend.connections[0]?.closed
  })

  test('that is idle between requests is closed', async () => {
    await proxy.publish({ settings: { timeouts: { keepAliveMs: 50 } } })
    const client = await proxy.client()
    client.get('a.test')
    await client.response()
    await client.untilClosed()
    expect(client.unread).toBe('')
  })

  test('that sends what is no request gets 400 and nothing after it is looked at', async () => {
    const client = await proxy.client()
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\nbad header\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n')
    const response = await client.response()
    expect(response.status).toBe(400)
    expect(response.headers.get('connection')).toEqual(['close'])
    await client.untilClosed()
    expect(client.unread).toBe('')
    expect(backend.requests).toEqual([])
  })

  test.each([
    ['that goes on sending', 400_000],
    ['that sends more than is thrown away at once', 12_000_000],
  ])('%s after its refusal sees the end of the connection, not a reset', async (_, octets) => {
    const client = await proxy.client()
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n')
    client.send('x'.repeat(octets))
    expect((await client.response()).status).toBe(400)
    await client.untilClosed()
    for (let piece = 0; piece < 5; piece++) {
      client.send('x'.repeat(1_000))
      await turn()
    }
    client.socket.end()
    while (!client.closed) await client.changed()
    expect(client.error).toBeUndefined()
  })

  test.each([
    ['414', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a.test\r\n\r\n`, 414],
    ['431 by size', `GET / HTTP/1.1\r\nHost: a.test\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
    ['431 by count', `GET / HTTP/1.1\r\nHost: a.test\r\n${'X: y\r\n'.repeat(200)}\r\n`, 431],
    ['505', 'GET / HTTP/2.0\r\nHost: a.test\r\n\r\n', 505],
    ['501', 'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: gzip\r\n\r\n', 501],
    ['417', 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\nExpect: more\r\n\r\nx', 417],
    ['405', 'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n', 405],
  ])('gets %s for what must not be served', async (_, text, status) => {
    const client = await proxy.client()
    client.send(text)
    expect((await client.response()).status).toBe(status)
    await client.untilClosed()
    expect(backend.requests).toEqual([])
  })
})

describe('an endpoint', () => {
  test('that refuses the connection is passed over, and the client sees nothing of it', async () => {
    await proxy.publish({ backends: { app: [await deadPort(), backend.port] } })
    const client = await proxy.client()
    for (let round = 0; round < 6; round++) {
      client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello')
      expect((await client.response()).status).toBe(200)
    }
    expect(backend.requests.map(request => request.body)).toEqual(Array.from({ length: 6 }, () => 'hello'))
    expect(proxy.stats.upstreamRetries).toBeGreaterThan(0)
  })

  test('that refuses the connection and is the only one is 502 after at most 3 attempts', async () => {
    await proxy.publish({ backends: { app: [await deadPort()] } })
    const client = await proxy.client()
    client.get('a.test')
    const response = await client.response()
    expect(response.status).toBe(502)
    expect(response.body).not.toContain('127.0.0.1')
    expect(proxy.stats.upstreamConnects).toBe(3)
  })

  test('that lives is found among many that refuse the connection, and asked first from then on', async () => {
    const dead = await Promise.all(Array.from({ length: 6 }, deadPort))
    await proxy.publish({ backends: { app: [...dead, backend.port] } })
    const client = await proxy.client()
    for (let round = 0; round < 6; round++) {
      client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello')
      expect((await client.response()).status).toBe(200)
    }
    expect(proxy.stats.upstreamConnects).toBeLessThanOrEqual(14)
  })

  test('that refuses the connection counts as one of the tries that the Ingress asks for', async () => {
    const dead = await Promise.all(Array.from({ length: 3 }, deadPort))
    const limited = host('a.test', 'app')
    const routes = limited.routes.map(route => ({ ...route, options: { ...route.options, upstreamTries: 2 } }))
    await proxy.publish({ hosts: { 'a.test': { ...limited, routes } }, backends: { app: dead } })
    const client = await proxy.client()
    client.get('a.test')
    expect((await client.response()).status).toBe(502)
    expect(proxy.stats.upstreamConnects).toBe(2)
  })

  test('that closed a kept connection under an idempotent request is asked again on a new one', async () => {
    const client = await proxy.client()
    client.get('a.test', '/1')
    await client.response()
    backend.answer = (request, connection) => {
      if (connection.index === 0) connection.reset()
      else connection.send(ok(`again ${request.target}`))
    }
    client.get('a.test', '/2')
    expect((await client.response()).body).toBe('again /2')
    expect(backend.connections).toHaveLength(2)
  })

  test('that died when all endpoints had just been replaced is passed over for the present ones', async () => {
    const client = await proxy.client()
    client.get('a.test', '/1')
    await client.response()
    backend.answer = () => {}
    client.get('a.test', '/2')
    await proxy.until(() => backend.requests.length === 2)
    const successor = await new RawBackend().start()
    await proxy.publish({ backends: { app: [successor.port] } })
    backend.connections[0]?.reset()
    expect(await client.response()).toMatchObject({ status: 200, body: 'hello from /2' })
    await successor.close()
  })

  test('that closed a kept connection under a POST is not asked again', async () => {
    const client = await proxy.client()
    client.get('a.test', '/1')
    await client.response()
    backend.answer = (_, connection) => connection.reset()
    client.send('POST /2 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello')
    expect((await client.response()).status).toBe(502)
    expect(backend.requests.map(request => request.target)).toEqual(['/1', '/2'])
  })

  test('that may be about to close a kept connection is not sent on it what cannot be repeated', async () => {
    const client = await proxy.client()
    client.get('a.test', '/1')
    await client.response()
    client.send('POST /2 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello')
    await client.response()
    // Longer than the second that a kept connection is trusted with such a request.
    await new Promise(resolve => {
      setTimeout(resolve, 1_300)
    })
    client.send('POST /3 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello')
    await client.response()
    client.get('a.test', '/4')
    await client.response()
    // At most: where this thread itself was kept waiting, the second POST came on a new connection, too.
    expect(backend.requests.find(({ target }) => target === '/3')?.connection).toBeGreaterThan(0)
    expect(backend.connections.length).toBeLessThanOrEqual(3)
  })

  test('that resets a fresh connection is not asked again', async () => {
    backend.answer = (_, connection) => connection.reset()
    const client = await proxy.client()
    client.get('a.test')
    expect((await client.response()).status).toBe(502)
    expect(backend.requests).toHaveLength(1)
  })

  test('that resets a fresh connection under an idempotent request is passed over once, as it may be ending', async () => {
    const others = await Promise.all([new RawBackend().start(), new RawBackend().start()])
    const all = [backend, ...others]
    const ports = all.map(({ port }) => port)
    await proxy.publish({ backends: { app: ports } })
    const [ending] = all
    if (ending !== undefined) ending.answer = (_, connection) => connection.reset()
    for (let round = 0; round < 3; round++) {
      const client = await proxy.client()
      client.get('a.test')
      expect((await client.response()).status).toBe(200)
    }
    expect(ending?.requests.length).toBeGreaterThan(0)
    // What ends two endpoints is not handed to a third one.
    for (const one of all) one.answer = (_, connection) => connection.reset()
    await proxy.publish({ backends: { app: [] } })
    await proxy.publish({ backends: { app: ports } })
    const before = all.reduce((sum, { requests }) => sum + requests.length, 0)
    const client = await proxy.client()
    client.get('a.test')
    expect((await client.response()).status).toBe(502)
    expect(all.reduce((sum, { requests }) => sum + requests.length, 0)).toBe(before + 2)
    for (const one of others) await one.close()
  })

  test('that closes a kept connection in time costs nothing', async () => {
    const client = await proxy.client()
    client.get('a.test')
    await client.response()
    await proxy.until(stats => stats.upstreamIdle === 1)
    backend.connections[0]?.end()
    await proxy.until(stats => stats.upstreamIdle === 0 && stats.upstreamOpen === 0)
    client.get('a.test')
    expect((await client.response()).status).toBe(200)
  })

  test('that speaks unasked on a kept connection is not listened to', async () => {
    const client = await proxy.client()
    client.get('a.test')
    await client.response()
    await proxy.until(stats => stats.upstreamIdle === 1)
    backend.connections[0]?.send(ok('evil'))
    await proxy.until(stats => stats.upstreamOpen === 0)
    client.get('a.test', '/2')
    expect((await client.response()).body).toBe('hello from /2')
    expect(proxy.stats.upstreamUnsolicited).toBe(1)
  })

  test('that sends more than its response does not reach the next request', async () => {
    backend.answer = (request, connection) => connection.send(`${ok(`own ${request.target}`)}${ok('evil')}`)
    const client = await proxy.client()
    for (const target of ['/1', '/2', '/3']) {
      client.get('a.test', target)
      expect((await client.response()).body).toBe(`own ${target}`)
    }
    expect(backend.connections).toHaveLength(3)
  })

  test.each([
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel'],
  ])('that dies in the middle of a response with %s is seen as a cut connection', async (_, text) => {
    backend.answer = (_, connection) => connection.end(text)
    const client = await proxy.client()
    client.get('a.test')
    await client.untilClosed()
    expect(client.unread).toContain('HTTP/1.1 200 OK')
    expect(client.unread).not.toContain('\r\n0\r\n\r\n')
    await expect(client.response()).rejects.toThrow('before a whole response')
  })

  test('that sends nonsense in the middle of a response is told from one that broke it off', async () => {
    backend.answer = (_, connection) =>
      connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nnot hex\r\n')
    const client = await proxy.client()
    client.get('a.test')
    await expect(client.response()).rejects.toThrow('before a whole response')
    await proxy.until(stats => stats.requests === 1)
    expect(proxy.stats.errors).toMatchObject({ upstream_malformed: 1, upstream_truncated: 0 })
  })

  test('that dies in the middle of a response is seen even where only the end of the connection delimits it', async () => {
    backend.answer = (_, connection) => connection.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel')
    const client = await proxy.client()
    client.send('GET / HTTP/1.0\r\nHost: a.test\r\n\r\n')
    await client.untilClosed()
    expect(client.error).toMatchObject({ code: 'ECONNRESET' })
  })

  test.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!'],
    ['no status line', 'just text\r\n\r\n'],
    [
      'a switch of protocols that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    ],
    ['a head that never ends', `HTTP/1.1 200 OK\r\n${'X-A: b\r\n'.repeat(20_000)}`],
  ])('that answers with %s is 502', async (_, text) => {
    backend.answer = (_, connection) => connection.send(text)
    const client = await proxy.client()
    client.get('a.test')
    expect((await client.response()).status).toBe(502)
  })

  test('that does not answer is 504 after the read timeout of the route', async () => {
    backend.answer = () => {}
    await proxy.publish({ hosts: { 'a.test': host('a.test', 'app', { options: { readTimeoutMs: 50 } }) } })
    const client = await proxy.client()
    client.get('a.test')
    expect((await client.response()).status).toBe(504)
    await backend.connections[0]?.closed
  })

  test('that stops in the middle of a response is a cut connection after the read timeout', async () => {
    backend.answer = (_, connection) => connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok')
    // Long enough for what it does send, on a machine that is slow.
    await proxy.publish({ settings: { timeouts: { readMs: 1_000 } } })
    const client = await proxy.client()
    client.get('a.test')
    await client.untilClosed()
    expect(client.unread.endsWith('ok')).toBe(true)
  })

  test('that answers before the end of the request is heard, and neither connection is used again', async () => {
    backend.readsRequests = false
    backend.accepted = connection => {
      connection.socket.once('data', () =>
        connection.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n'),
      )
    }
    await proxy.publish({ settings: { limits: { maxBodyBytes: 0 } } })
    const client = await proxy.client()
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000\r\n\r\npartial')
    const response = await client.response()
    expect(response.status).toBe(413)
    expect(response.headers.get('connection')).toEqual(['close'])
    await client.untilClosed()
    await backend.connections[0]?.closed
  })
})

describe('the connect timeout', () => {
  test('is 504 when an endpoint does not take the connection', async () => {
    await using deaf = await listenWithoutAccepting()
    await proxy.publish({ backends: { app: [deaf.port] }, settings: { timeouts: { connectMs: 50 } } })
    const client = await proxy.client()
    client.get('a.test')
    expect((await client.response()).status).toBe(504)
    expect(proxy.stats.errors.connect_timeout).toBe(1)
    expect(proxy.stats.upstreamRetries).toBe(2)
  })
})

/** A listener whose thread sleeps, with its queue filled: the kernel answers no more connections to it. */
async function listenWithoutAccepting(): Promise<{ readonly port: number } & AsyncDisposable> {
  const wake = new Int32Array(new SharedArrayBuffer(4))
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    const server = require('node:net').createServer()
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port)
      setImmediate(() => { Atomics.wait(workerData, 0, 0); process.exit() })
    })`
  const worker = new Worker(code, { eval: true, workerData: wake })
  const [port] = (await once(worker, 'message')) as [number]
  const queued = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  await once(queued[0] ?? worker, 'connect')
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of queued) socket.destroy()
      Atomics.store(wake, 0, 1)
      Atomics.notify(wake, 0)
      await worker.terminate()
    },
  }
}
