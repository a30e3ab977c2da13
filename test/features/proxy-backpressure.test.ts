import { expect, test } from 'vitest'
import { type InProcess, turn } from '../proxy/in-process.ts'
import { withOneBackend } from '../proxy/one-backend.ts'
import { ok, type RawBackend } from '../proxy/raw-backend.ts'

const bodyBytes = 64 * 1024 * 1024
/** What kernels and user space may hold between two sockets on loopback, far less than the body. */
const heldBytes = 24 * 1024 * 1024

let backend: RawBackend
let proxy: InProcess

withOneBackend(
  one => {
    ;({ backend, proxy } = one)
  },
  { settings: { limits: { maxBodyBytes: 0 } } },
)

/** Writes `total` bytes as fast as they are taken; returns how many have been taken so far. */
function pour(
  socket: { write(data: Buffer): boolean; on(event: 'drain', listener: () => void): unknown },
  total: number,
) {
  const block = Buffer.alloc(65_536, 'x')
  let written = 0
  const more = (): void => {
    while (written < total) {
      written += block.length
      if (!socket.write(block)) return
    }
  }
  socket.on('drain', more)
  more()
  return () => written
}

/** Resolves when the number has stopped growing. */
async function untilStill(read: () => number): Promise<number> {
  let last = -1
  let unchanged = 0
  while (unchanged < 40) {
    await turn()
    unchanged = read() === last ? unchanged + 1 : 0
    last = read()
  }
  return last
}

test('a client that does not read stops the endpoint, and gets everything when it reads again', async () => {
  let poured = (): number => 0
  backend.answer = (_, connection) => {
    connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${bodyBytes}\r\n\r\n`)
    poured = pour(connection.socket, bodyBytes)
  }
  const client = await proxy.client()
  client.socket.pause()
  client.get('a.test')
  await proxy.until(() => poured() > 0)
  expect(await untilStill(() => poured())).toBeLessThan(heldBytes)
  client.socket.resume()
  while (client.receivedBytes < bodyBytes) await client.changed()
  await proxy.until(stats => stats.requests === 1)
  expect(proxy.stats.responseBytes).toBe(bodyBytes)
  expect(proxy.stats.upstreamIdle).toBe(1)
}, 60_000)

test('an endpoint that does not read stops the client, and gets everything when it reads again', async () => {
  backend.readsRequests = false
  backend.accepted = connection => connection.socket.pause()
  const client = await proxy.client()
  client.send(`POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${bodyBytes}\r\n\r\n`)
  const poured = pour(client.socket, bodyBytes)
  expect(await untilStill(poured)).toBeLessThan(heldBytes)
  const [connection] = backend.connections
  connection?.socket.resume()
  await proxy.until(() => (connection?.receivedBytes ?? 0) > bodyBytes)
  connection?.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  expect((await client.response()).status).toBe(200)
}, 60_000)

test('a client that never reads is cut after the send timeout', async () => {
  await proxy.publish({ settings: { timeouts: { sendMs: 100 }, limits: { maxBodyBytes: 0 } } })
  backend.answer = (_, connection) => {
    connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${bodyBytes}\r\n\r\n`)
    pour(connection.socket, bodyBytes)
  }
  const client = await proxy.client()
  client.socket.pause()
  client.get('a.test')
  await proxy.until(stats => stats.errors.client_too_slow === 1)
  await backend.connections[0]?.closed
  expect(proxy.stats.connectionsOpen).toBe(0)
})

test('an endpoint that never reads ends in 504', async () => {
  await proxy.publish({ settings: { timeouts: { sendMs: 100 }, limits: { maxBodyBytes: 0 } } })
  backend.readsRequests = false
  backend.accepted = connection => connection.socket.pause()
  const client = await proxy.client()
  client.send(`POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${bodyBytes}\r\n\r\n`)
  pour(client.socket, bodyBytes)
  expect((await client.response()).status).toBe(504)
})

test('requests sent ahead of their turn are not read without end', async () => {
  backend.answer = () => {}
  const client = await proxy.client()
  client.get('a.test')
  const poured = pour(client.socket, bodyBytes)
  expect(await untilStill(poured)).toBeLessThan(heldBytes)
  expect(backend.requests).toHaveLength(1)
})

test('responses to requests sent ahead wait for a client that does not read, and all of them come when it reads', async () => {
  const count = 900
  const answer = 'x'.repeat(60_000)
  backend.answer = (_, connection) => connection.send(ok(answer))
  const client = await proxy.client()
  client.socket.pause()
  client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n'.repeat(count))
  await proxy.until(() => backend.requests.length > 0)
  expect((await untilStill(() => backend.requests.length)) * answer.length).toBeLessThan(heldBytes)
  client.socket.resume()
  while (client.receivedBytes < count * answer.length) await client.changed()
  await proxy.until(stats => stats.requests === count)
  expect(proxy.stats.connectionsOpen).toBe(1)
}, 60_000)

test('a client that has closed its sending side and pauses in the middle of the response gets all of it', async () => {
  backend.answer = (_, connection) => {
    connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${bodyBytes}\r\n\r\n`)
    pour(connection.socket, bodyBytes)
  }
  const client = await proxy.client()
  client.socket.pause()
  client.get('a.test')
  client.socket.end()
  await proxy.until(() => backend.requests.length === 1)
  // Longer than a client that may be gone is waited for.
  await new Promise(resolve => {
    setTimeout(resolve, 1_500)
  })
  client.socket.resume()
  await client.untilClosed()
  expect(client.receivedBytes).toBeGreaterThan(bodyBytes)
}, 60_000)

test('a body in tiny chunks leaves in as few pieces as it came in', async () => {
  const text = 'abcdefgh'.repeat(500)
  const tiny = `${text
    .split('')
    .map(octet => `1\r\n${octet}\r\n`)
    .join('')}0\r\n\r\n`
  backend.answer = ({ body }, connection) => {
    expect(body).toBe(text)
    connection.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${tiny}`)
  }
  const client = await proxy.client()
  client.send(`POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n${tiny}`)
  const response = await client.response()
  expect(response.body).toBe(text)
  // A chunk for each byte would be six times the text.
  expect(backend.connections[0]?.receivedBytes).toBeLessThan(text.length * 2)
  expect(client.receivedBytes).toBeLessThan(text.length * 2)
})
