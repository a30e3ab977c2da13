import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RouteOptions } from '../../src/routing/annotations.ts'
import { host, InProcess } from '../proxy/in-process.ts'
import { type Answer, deadPort, ok, RawBackend } from '../proxy/raw-backend.ts'
import type { RawClient, ReceivedResponse } from '../proxy/raw-client.ts'

let backends: readonly [RawBackend, RawBackend, RawBackend]
let proxy: InProcess

beforeEach(async () => {
  backends = await Promise.all([new RawBackend().start(), new RawBackend().start(), new RawBackend().start()])
  proxy = await new InProcess().start({ backends: { app: backends.map(({ port }) => port) } })
})

afterEach(async () => {
  await proxy.close()
  await Promise.all(backends.map(async backend => backend.close()))
})

async function serve(options: RouteOptions): Promise<RawClient> {
  await proxy.publish({ hosts: { 'a.test': host('a.test', 'app', { options }) } })
  return proxy.client()
}

/** All endpoints answer so, and what they were asked is counted over all. */
function answer(with_: Answer): void {
  for (const backend of backends) backend.answer = with_
}

function asked(): readonly string[] {
  return backends.flatMap(({ requests }) => requests.map(({ method, target, body }) => `${method} ${target} ${body}`))
}

/** The first that is asked answers in this way, the others well. */
function firstAnswers(with_: Answer): void {
  answer((request, connection) => {
    if (asked().length === 1) with_(request, connection)
    else connection.send(ok('from another'))
  })
}

const status = (code: number): string => `HTTP/1.1 ${code} So\r\nContent-Length: 4\r\n\r\nsick`

async function request(client: RawClient, method = 'GET', body = ''): Promise<ReceivedResponse> {
  client.send(`${method} /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  return client.response(method)
}

describe('proxy-next-upstream', () => {
  test('of a status throws the response away and asks another endpoint', async () => {
    const client = await serve({ retryOn: ['http_503'] })
    firstAnswers((_, connection) => connection.send(status(503)))
    expect(await request(client)).toMatchObject({ status: 200, body: 'from another' })
    expect(backends.map(({ requests }) => requests.length).filter(count => count === 1)).toHaveLength(2)
    await proxy.until(() => proxy.accessLog().includes(' 503, 200 '))
    expect(proxy.accessLog()).toMatch(/ 127\.0\.0\.1:\d+, 127\.0\.0\.1:\d+ 0, 12 \d\.\d{3}, \d\.\d{3} 503, 200 /)
  })

  test('relays the last response when the attempts are over', async () => {
    const client = await serve({ retryOn: ['http_503'] })
    answer((_, connection) => connection.send(status(503)))
    expect(await request(client)).toMatchObject({ status: 503, body: 'sick' })
    expect(backends.map(({ requests }) => requests.length)).toEqual([1, 1, 1])
  })

  test('leaves other statuses, and the only endpoint, alone', async () => {
    const client = await serve({ retryOn: ['http_503'] })
    answer((_, connection) => connection.send(status(502)))
    expect((await request(client)).status).toBe(502)
    await proxy.publish({ backends: { app: [backends[0].port] } })
    answer((_, connection) => connection.send(status(503)))
    expect((await request(client)).status).toBe(503)
    expect(asked()).toHaveLength(2)
  })

  test('does not send a POST again, unless non_idempotent says so and its body is there', async () => {
    const client = await serve({ retryOn: ['http_503'] })
    firstAnswers((_, connection) => connection.send(status(503)))
    expect((await request(client, 'POST', 'hello')).status).toBe(503)
    for (const backend of backends) backend.requests.length = 0
    const other = await serve({ retryOn: ['http_503', 'non_idempotent'], requestBuffering: true })
    expect((await request(other, 'POST', 'hello')).body).toBe('from another')
    expect(asked()).toEqual(['POST /x hello', 'POST /x hello'])
  })

  test('of error asks another endpoint after a reset, and of timeout after silence', async () => {
    const client = await serve({ retryOn: ['error', 'timeout'], readTimeoutMs: 50 })
    firstAnswers((_, connection) => connection.reset())
    expect((await request(client)).body).toBe('from another')
    for (const backend of backends) backend.requests.length = 0
    firstAnswers(() => {})
    expect((await request(client)).body).toBe('from another')
  })

  test('never after a byte of the response', async () => {
    const client = await serve({ retryOn: ['error', 'timeout', 'http_503'] })
    firstAnswers((_, connection) => connection.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel'))
    client.get('a.test')
    await client.untilClosed()
    expect(asked()).toHaveLength(1)
  })

  test('off tries one endpoint, even where the connection was refused', async () => {
    const dead = await deadPort()
    await proxy.publish({ backends: { app: [dead, dead] } })
    const client = await serve({ retryOn: ['off'] })
    expect((await request(client)).status).toBe(502)
    expect(proxy.stats.upstreamConnects).toBe(1)
  })

  test('sends at most a fifth more when everything fails', async () => {
    const client = await serve({ retryOn: ['http_503'] })
    answer((_, connection) => connection.send(status(503)))
    for (let round = 0; round < 200; round++) await request(client)
    expect(asked().length).toBeGreaterThan(220)
    expect(asked().length).toBeLessThanOrEqual(200 * 1.2 + 10)
  })

  test('stops after its time', async () => {
    const client = await serve({ retryOn: ['timeout'], readTimeoutMs: 100, retryWithinMs: 1 })
    answer(() => {})
    expect((await request(client)).status).toBe(504)
    expect(asked()).toHaveLength(1)
  })
})

describe('a kept connection that dies before the first byte', () => {
  async function keep(client: RawClient): Promise<void> {
    for (let round = 0; round < 3; round++) await request(client)
    await proxy.until(stats => stats.upstreamIdle === 3)
    for (const backend of backends) backend.requests.length = 0
  }

  test('costs a PUT with a short body nothing', async () => {
    const client = await serve({})
    await keep(client)
    firstAnswers((_, connection) => connection.reset())
    const body = 'x'.repeat(40_000)
    expect((await request(client, 'PUT', body)).body).toBe('from another')
    expect(asked()).toEqual([`PUT /x ${body}`, `PUT /x ${body}`])
  })

  test('costs a long PUT nothing where requests are buffered', async () => {
    const client = await serve({ requestBuffering: true })
    await keep(client)
    firstAnswers((_, connection) => connection.reset())
    const body = 'x'.repeat(400_000)
    expect((await request(client, 'PUT', body)).body).toBe('from another')
    expect(asked()).toEqual([`PUT /x ${body}`, `PUT /x ${body}`])
  })

  test('is 502 for a POST, buffered or not: it may have been carried out', async () => {
    const client = await serve({ requestBuffering: true })
    await keep(client)
    firstAnswers((_, connection) => connection.reset())
    expect((await request(client, 'POST', 'hello')).status).toBe(502)
    expect(asked()).toHaveLength(1)
  })

  test('costs nothing in the middle of an upload either, when all that was sent is still there', async () => {
    const client = await serve({})
    await keep(client)
    let resets = 0
    for (const backend of backends) {
      for (const connection of backend.connections) {
        connection.socket.once('data', () => {
          resets++
          if (resets === 1) connection.reset()
        })
      }
    }
    answer((_, connection) => connection.send(ok('whole')))
    client.send('PUT /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
    await proxy.until(stats => stats.upstreamRetries === 1)
    client.send('5\r\nworld\r\n0\r\n\r\n')
    expect((await client.response()).body).toBe('whole')
    expect(asked()).toEqual(['PUT /x helloworld'])
  })
})
