import { once } from 'node:events'
import { connect } from 'node:net'
import { Duplex } from 'node:stream'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { describe, expect, test } from 'vitest'
import type { InProcess } from '../proxy/in-process.ts'
import { withOneBackend } from '../proxy/one-backend.ts'
import { ok, type RawBackend } from '../proxy/raw-backend.ts'
import { RawClient, type ReceivedResponse } from '../proxy/raw-client.ts'
import { testCertificate } from '../proxy/test-certificate.ts'

let backend: RawBackend
let proxy: InProcess

const certificate = testCertificate('test/default', 'default', ['a.test'])

withOneBackend(
  one => {
    ;({ backend, proxy } = one)
  },
  { certificates: [certificate], defaultCertificate: certificate.id },
)

/** Longer than it takes the proxy to ask a silent client whether it is there. */
async function longWait(): Promise<void> {
  await new Promise(resolve => {
    setTimeout(resolve, 1_500)
  })
}

/** The response after the interim ones, and how many these were. */
async function final(client: RawClient): Promise<{ readonly response: ReceivedResponse; readonly interim: number }> {
  for (let interim = 0; ; interim++) {
    const response = await client.response()
    if (response.status >= 200) return { response, interim }
    expect(response.status).toBe(100)
  }
}

test('a client that has closed its sending side gets its answer, however late', async () => {
  backend.answer = (_, connection) => void longWait().then(() => connection.send(ok('late')))
  const client = await proxy.client()
  client.get('a.test')
  client.socket.end()
  const { response, interim } = await final(client)
  expect(response).toMatchObject({ status: 200, body: 'late' })
  expect(interim).toBeLessThanOrEqual(2)
  await client.untilClosed()
  expect(proxy.stats.errors.client_gone).toBe(0)
})

test('and all of it, however long it pauses', async () => {
  backend.answer = (_, connection) => {
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')
    void longWait().then(() => connection.send('world'))
  }
  const client = await proxy.client()
  client.get('a.test')
  client.socket.end()
  expect(await final(client)).toMatchObject({ response: { body: 'helloworld' }, interim: 0 })
})

test('one of HTTP/1.0 is not asked anything', async () => {
  backend.answer = (_, connection) => void longWait().then(() => connection.send(ok('late')))
  const client = await proxy.client()
  client.send('GET / HTTP/1.0\r\nHost: a.test\r\n\r\n')
  client.socket.end()
  expect((await client.response()).body).toBe('late')
})

test('one that is gone is noticed without an answer, and its endpoint is freed', async () => {
  backend.answer = () => {}
  const client = await proxy.client()
  client.get('a.test')
  await proxy.until(() => backend.requests.length === 1)
  client.destroy()
  await backend.connections[0]?.closed
  await proxy.until(stats => stats.errors.client_gone === 1 && stats.connectionsOpen === 0)
  await proxy.until(() => proxy.accessLog() !== '')
  expect(proxy.accessLog()).toContain('"GET / HTTP/1.1" 499 ')
})

describe('a client that sends several requests and its end at once, over TLS,', () => {
  const own = 'GET /healthz HTTP/1.1\r\nHost: nobody.test\r\n\r\n'
  const proxied = 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n'

  test.each([
    ['the endpoint answers the first one only', [proxied, own, own]],
    ['the endpoint answers the last one, too', [proxied, own, proxied]],
  ])('gets all its answers, where %s', async (_, requests) => {
    const client = await sentAtOnce(requests.join(''))
    const answers: ReceivedResponse[] = []
    for (const _request of requests) answers.push((await final(client)).response)
    expect(answers.map(({ status, headers }) => `${status} ${headers.get('connection')?.join() ?? 'kept'}`)).toEqual([
      '200 kept',
      '200 kept',
      '200 close',
    ])
    await client.untilClosed()
  })

  test.each([
    ['behind one that the endpoint answers', [proxied]],
    ['behind one that the proxy answers by itself', [proxied, own]],
  ])('is not waited for where the last one is not whole, %s', async (_, requests) => {
    const client = await sentAtOnce(`${requests.join('')}GET / HT`)
    for (const _request of requests) expect((await final(client)).response.status).toBe(200)
    await client.untilClosed()
    expect(client.unread).toBe('')
    expect(proxy.stats.errors.request_timeout).toBe(0)
  })
})

describe('a client that sends its request in one piece with the end of its handshake', () => {
  const request = 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n'

  test.each([
    ['and no more', [request]],
    ['and a body', [`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 40000\r\n\r\n${'x'.repeat(40_000)}`]],
    ['and another one', [request, request]],
  ])('is answered, %s, and its own end', async (_, requests) => {
    const client = await sentAtOnce(requests.join(''), 'handshake')
    for (const _request of requests) expect((await final(client)).response.status).toBe(200)
    await client.untilClosed()
    expect(client.unread).toBe('')
  })
})

/** The text and the end of what is sent, over TLS, all of it in one piece; with the end of the handshake or after it. */
async function sentAtOnce(text: string, after: 'handshake' | 'secured' = 'secured'): Promise<RawClient> {
  const wire = connect({ host: '127.0.0.1', port: proxy.httpsPort, noDelay: true, allowHalfOpen: true })
  const gathered: Buffer[] = []
  let isGathering = false
  const gathering = new Duplex({
    allowHalfOpen: true,
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      if (isGathering) gathered.push(chunk)
      else wire.write(chunk)
      // The first piece is the ClientHello.
      if (after === 'handshake') isGathering = true
      done()
    },
  })
  wire.on('data', chunk => gathering.push(chunk))
  wire.on('end', () => gathering.push(null))
  const options = { socket: gathering, servername: 'a.test', rejectUnauthorized: false, allowHalfOpen: true }
  const socket = connectTls(options as ConnectionOptions)
  await once(socket, 'secureConnect')
  const client = new RawClient(socket)
  isGathering = true
  socket.end(text, 'latin1')
  await once(socket, 'finish')
  wire.write(Buffer.concat(gathered))
  return client
}
