import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { InProcess } from '../proxy/in-process.ts'
import { withOneBackend } from '../proxy/one-backend.ts'
import { ok, type RawBackend } from '../proxy/raw-backend.ts'
import type { RawClient } from '../proxy/raw-client.ts'

const handshake =
  'GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
const switching =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n'

let backend: RawBackend
let proxy: InProcess

withOneBackend(one => {
  ;({ backend, proxy } = one)
})

/** The endpoint accepts, then returns every byte. */
function echo(): void {
  backend.answer = (_, connection) => {
    backend.readsRequests = false
    connection.send(switching)
    connection.socket.pipe(connection.socket)
  }
}

async function open(): Promise<RawClient> {
  const client = await proxy.client()
  client.send(handshake)
  expect((await client.response()).status).toBe(101)
  return client
}

test('bytes pass unchanged in both directions', async () => {
  echo()
  const client = await open()
  const sent = randomBytes(3_000_000)
  client.send(sent)
  while (client.unread.length < sent.length) await client.changed()
  expect(Buffer.from(client.unread, 'latin1').equals(sent)).toBe(true)
  expect(backend.requests[0]?.headers.get('upgrade')).toEqual(['websocket'])
  expect(backend.requests[0]?.headers.get('connection')).toEqual(['Upgrade'])
  expect(proxy.stats.tunnelsOpen).toBe(1)
})

test('bytes that come with the handshake and with its answer are not lost', async () => {
  backend.answer = (_, connection) => {
    backend.readsRequests = false
    connection.send(`${switching}first`)
    connection.socket.pipe(connection.socket)
  }
  const client = await proxy.client()
  client.send(`${handshake}early`)
  expect((await client.response()).status).toBe(101)
  await client.until('first')
  await client.until('early')
})

test('a refused handshake is a plain response, and the connection is used again', async () => {
  backend.answer = ({ target }, connection) => connection.send(ok(`no tunnel at ${target}`))
  const client = await proxy.client()
  client.send(handshake)
  expect((await client.response()).body).toBe('no tunnel at /chat')
  client.get('a.test', '/next')
  expect((await client.response()).body).toBe('no tunnel at /next')
})

test('a switch to another protocol is 502', async () => {
  backend.answer = (_, connection) =>
    connection.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nevil')
  const client = await proxy.client()
  client.send(handshake)
  const response = await client.response()
  expect(response.status).toBe(502)
  expect(client.unread).not.toContain('evil')
})

test('the client that leaves closes the endpoint, and the other way round', async () => {
  echo()
  const first = await open()
  first.destroy()
  await backend.connections[0]?.closed
  backend.readsRequests = true
  const second = await open()
  backend.connections[1]?.socket.destroy()
  await second.untilClosed()
  second.destroy()
  await proxy.until(stats => stats.tunnelsOpen === 0 && stats.requestsInFlight === 0)
  expect(proxy.stats.responses1xx).toBe(2)
})

test('a tunnel that is silent longer than the read timeout is closed', async () => {
  echo()
  await proxy.publish({ settings: { timeouts: { readMs: 50 } } })
  const client = await open()
  await client.untilClosed()
  await proxy.until(stats => stats.tunnelsOpen === 0)
  expect(client.unread).toBe('')
})

test('a side that has sent all it has still gets what the other one sends', async () => {
  backend.answer = (_, connection) => {
    backend.readsRequests = false
    connection.received = ''
    connection.send(switching)
  }
  const client = await open()
  client.socket.end('client is done')
  const [connection] = backend.connections
  await connection?.closed
  expect(connection?.received).toBe('client is done')
  const late = 'x'.repeat(500_000)
  connection?.end(late)
  await client.untilClosed()
  expect(client.unread).toBe(late)
  await proxy.until(stats => stats.tunnelsOpen === 0 && stats.upstreamOpen === 0)
})

test('the same the other way round', async () => {
  backend.answer = (_, connection) => {
    backend.readsRequests = false
    connection.received = ''
    connection.end(`${switching}server is done`)
  }
  const client = await open()
  await client.untilClosed()
  expect(client.unread).toBe('server is done')
  const late = 'x'.repeat(500_000)
  client.socket.end(late)
  await backend.connections[0]?.closed
  expect(backend.connections[0]?.received).toBe(late)
  await proxy.until(stats => stats.tunnelsOpen === 0 && stats.connectionsOpen === 0)
  expect(proxy.stats.errors.client_gone).toBe(0)
})

test('a tunnel outlives the removal of its endpoint from the table', async () => {
  echo()
  const client = await open()
  await proxy.publish({ backends: { app: [] } })
  client.send('still here')
  await client.until('still here')
  expect(proxy.stats.tunnelsOpen).toBe(1)
})

test('the endpoint hears of the end of a client that closed its sending side before the handshake was answered', async () => {
  backend.answer = () => {
    backend.readsRequests = false
  }
  const client = await proxy.client()
  client.send(handshake)
  client.socket.end()
  await proxy.until(() => backend.requests.length === 1)
  await new Promise(resolve => {
    setTimeout(resolve, 200)
  })
  const [server] = backend.connections
  server?.send(`${switching}late`)
  await client.until('late')
  await server?.closed
  expect(server?.isClosed).toBe(true)
}, 10_000)
