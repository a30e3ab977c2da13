import { expect, test } from 'vitest'
import type { RouteOptions } from '../../src/routing/annotations.ts'
import { host, type InProcess, turn } from '../proxy/in-process.ts'
import { withOneBackend } from '../proxy/one-backend.ts'
import { ok, type RawBackend } from '../proxy/raw-backend.ts'

let backend: RawBackend
let proxy: InProcess

withOneBackend(one => {
  ;({ backend, proxy } = one)
})

async function serve(options: RouteOptions): Promise<void> {
  await proxy.publish({ hosts: { 'a.test': host('a.test', 'app', { options }) } })
}

const post = (length: number): string => `POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${length}\r\n\r\n`

/** Everything that was sent so far has been read by the proxy. */
async function untilRead(): Promise<void> {
  const other = await proxy.client()
  other.get('nobody.test')
  await other.response()
  for (let round = 0; round < 5; round++) await turn()
}

test('an endpoint is not asked before the body is whole', async () => {
  await serve({ requestBuffering: true })
  const client = await proxy.client()
  client.send(`${post(10)}hello`)
  await untilRead()
  expect(backend.connections).toHaveLength(0)
  client.send('world')
  expect((await client.response()).status).toBe(200)
  expect(backend.requests.map(({ body }) => body)).toEqual(['helloworld'])
})

test('where it is not asked for, the body is passed on as it comes', async () => {
  await serve({})
  const client = await proxy.client()
  client.send(`${post(10)}hello`)
  await proxy.until(() => backend.connections[0]?.received.endsWith('hello') === true)
  client.send('world')
  expect((await client.response()).status).toBe(200)
})

test('the setting applies where the Ingress does not say otherwise', async () => {
  await proxy.publish({ settings: { requestBuffering: true } })
  await serve({})
  const client = await proxy.client()
  client.send(`${post(10)}hello`)
  await untilRead()
  expect(backend.connections).toHaveLength(0)
  await serve({ requestBuffering: false })
  const other = await proxy.client()
  other.send(`${post(10)}hello`)
  await proxy.until(() => backend.connections[0]?.received.endsWith('hello') === true)
})

test('a chunked body that was read whole reaches the endpoint with its length', async () => {
  await serve({ requestBuffering: true })
  const client = await proxy.client()
  client.send('POST /p HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
  await untilRead()
  client.send('5\r\nworld\r\n0\r\n\r\n')
  expect((await client.response()).status).toBe(200)
  expect(backend.requests[0]?.body).toBe('helloworld')
  expect(backend.requests[0]?.headers.get('content-length')).toEqual(['10'])
  expect(backend.requests[0]?.headers.has('transfer-encoding')).toBe(false)
})

test.each([
  ['with a length', 'Content-Length: 60000', (text: string) => text],
  ['in chunks', 'Transfer-Encoding: chunked', (text: string) => `ea60\r\n${text}\r\n0\r\n\r\n`],
])('a body %s that is longer than the buffer is passed on as it comes, and arrives whole', async (_, field, encode) => {
  await serve({ requestBuffering: true, maxBufferedBodyBytes: 20_000 })
  const client = await proxy.client()
  const text = 'abcdefghij'.repeat(6_000)
  const bytes = encode(text)
  client.send(`POST /p HTTP/1.1\r\nHost: a.test\r\n${field}\r\n\r\n${bytes.slice(0, 40_000)}`)
  await proxy.until(() => (backend.connections[0]?.receivedBytes ?? 0) > 39_000)
  client.send(bytes.slice(40_000))
  expect((await client.response()).status).toBe(200)
  expect(backend.requests[0]?.body).toBe(text)
})

test('requests that came ahead are served after it, on the same connection', async () => {
  await serve({ requestBuffering: true })
  const client = await proxy.client()
  client.send(`${post(5)}hello${post(5)}again`)
  expect((await client.response()).status).toBe(200)
  expect((await client.response()).status).toBe(200)
  expect(backend.requests.map(({ body }) => body)).toEqual(['hello', 'again'])
})

test('a client that waits for 100 Continue gets it', async () => {
  await serve({ requestBuffering: true })
  const client = await proxy.client()
  client.send('POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n')
  expect((await client.response()).status).toBe(100)
  expect(backend.connections).toHaveLength(0)
  client.send('hello')
  expect((await client.response()).status).toBe(200)
})

test('a body over the limit of the route is 413, and no endpoint hears of it', async () => {
  await serve({ requestBuffering: true, maxBodyBytes: 6 })
  const client = await proxy.client()
  client.send('POST /p HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nworld\r\n')
  expect((await client.response()).status).toBe(413)
  expect(backend.connections).toHaveLength(0)
})

test('a client that leaves, or is too slow, costs no endpoint anything', async () => {
  await proxy.publish({ settings: { timeouts: { clientBodyMs: 50 } } })
  await serve({ requestBuffering: true })
  const slow = await proxy.client()
  slow.send(`${post(10)}hello`)
  expect((await slow.response()).status).toBe(408)
  const client = await proxy.client()
  client.send(`${post(10)}hello`)
  client.socket.end()
  await proxy.until(stats => stats.errors.client_gone === 1)
  expect(backend.connections).toHaveLength(0)
  await proxy.until(() => proxy.accessLog().includes(' 499 '))
  const line = String.raw`.*"POST /p HTTP/1\.1" (?:408|499) .* \[test-app-80\] \[\] - - - - [0-9a-f]{32}\n`
  expect(proxy.accessLog()).toMatch(new RegExp(`^${line}${line}$`))
})

test.each([
  ['fits the buffer', 1_000_000],
  ['is longer than the buffer', 100_000],
])(
  'a body in small pieces that %s waits for its answer for as long as that takes',
  async (_, maxBufferedBodyBytes) => {
    await proxy.publish({ settings: { timeouts: { sendMs: 300 } } })
    await serve({ requestBuffering: true, maxBufferedBodyBytes })
    backend.answer = (_, connection) => {
      setTimeout(() => connection.send(ok('at last')), 1_000)
    }
    const client = await proxy.client()
    client.send('POST /p HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n')
    for (let sent = 0; sent < 200_000; sent += 4_000) {
      client.send(`fa0\r\n${'x'.repeat(4_000)}\r\n`)
      await turn()
    }
    client.send('0\r\n\r\n')
    expect(await client.response()).toMatchObject({ status: 200, body: 'at last' })
    expect(backend.requests[0]?.body).toHaveLength(200_000)
  },
  10_000,
)
