import { expect, test } from 'vitest'
import type { InProcess } from '../proxy/in-process.ts'
import { withOneBackend } from '../proxy/one-backend.ts'
import type { BackendConnection, RawBackend } from '../proxy/raw-backend.ts'
import type { RawClient } from '../proxy/raw-client.ts'

const handshake =
  'GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
const switching = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
/** Close with 1001, as servers say it. */
const goingAway = '\x88\x02\x03\xe9'
const maskedHello = '\x81\x85\x00\x00\x00\x00hello'
const hello = '\x81\x05hello'

let backend: RawBackend
let proxy: InProcess

withOneBackend(
  one => {
    ;({ backend, proxy } = one)
    backend.answer = (_, connection) => {
      backend.readsRequests = false
      connection.received = ''
      connection.send(switching)
    }
  },
  { settings: { timeouts: { tunnelDrainMs: 0 } } },
)

async function open(): Promise<{ readonly client: RawClient; readonly server: BackendConnection }> {
  backend.readsRequests = true
  const client = await proxy.client()
  client.send(handshake)
  expect((await client.response()).status).toBe(101)
  const server = backend.connections.at(-1)
  if (server === undefined) throw new Error('the endpoint was not asked')
  return { client, server }
}

function drain(graceMs = 20_000): Promise<{ readonly cutConnections: number }> {
  return proxy.proxy.drain({ lameDuckMs: 0, graceMs })
}

/** The Close frame that the endpoint got at the end of what it received, its mask taken off. */
function closeReceived({ received }: BackendConnection): number[] {
  const [first = 0, second = 0, ...rest] = Buffer.from(received.slice(-8), 'latin1')
  return [first, second, (rest[0] ?? 0) ^ (rest[4] ?? 0), (rest[1] ?? 0) ^ (rest[5] ?? 0)]
}

test('both sides are told 1001, and the tunnel ends when both have answered', async () => {
  const { client, server } = await open()
  client.send(maskedHello)
  server.send(hello)
  await client.until(hello)
  await proxy.until(() => server.received === maskedHello)
  const drained = drain()
  await client.until(goingAway)
  await proxy.until(() => server.received.length === maskedHello.length + 8)
  expect(closeReceived(server)).toEqual([0x88, 0x82, 0x03, 0xe9])
  client.send('\x88\x82\x00\x00\x00\x00\x03\xe9')
  server.send(goingAway)
  await client.untilClosed()
  await server.closed
  client.socket.end()
  server.end()
  expect(await drained).toEqual({ cutConnections: 0 })
  expect(client.unread).toBe(hello + goingAway)
  expect(server.received).toHaveLength(maskedHello.length + 8)
  expect(proxy.accessLog()).toMatch(/"GET \/chat HTTP\/1\.1" 101 7 .* 101 [0-9a-f]{32}\n$/)
})

test('a frame that has begun is passed whole before the sides are told, and nothing after it', async () => {
  const { client, server } = await open()
  const whole = `\x82\x7e\x03\xe8${'x'.repeat(1_000)}`
  server.send(whole.slice(0, 500))
  client.send(maskedHello.slice(0, 4))
  await client.until(whole.slice(0, 500))
  await proxy.until(() => server.received.length === 4)
  const drained = drain()
  await proxy.until(stats => stats.connectionsOpen === 1)
  // The next connection is refused: the listeners are closed, and with them tunnels are being closed.
  while (await connects()) await turnOfTheClock()
  await turnOfTheClock()
  server.send(`${whole.slice(500)}${hello}`)
  client.send(`${maskedHello.slice(4)}${maskedHello}`)
  await client.until(goingAway)
  await proxy.until(() => server.received.length >= maskedHello.length + 8)
  expect(client.unread).toBe(whole + goingAway)
  expect(server.received.startsWith(maskedHello)).toBe(true)
  expect(closeReceived(server)).toEqual([0x88, 0x82, 0x03, 0xe9])
  client.destroy()
  server.end()
  expect(await drained).toEqual({ cutConnections: 0 })
})

test('a side that has said Close is not told again', async () => {
  const { client, server } = await open()
  server.send('\x88\x02\x03\xe8')
  await client.until('\x88\x02\x03\xe8')
  const drained = drain()
  await client.untilClosed()
  expect(client.unread).toBe('\x88\x02\x03\xe8')
  expect(closeReceived(server)).toEqual([0x88, 0x82, 0x03, 0xe9])
  client.destroy()
  server.end()
  expect(await drained).toEqual({ cutConnections: 0 })
})

test('sides that do not answer are not waited for longer than a moment', async () => {
  const { client, server } = await open()
  const drained = drain()
  await client.untilClosed()
  await server.closed
  expect(client.unread).toBe(goingAway)
  client.destroy()
  expect(await drained).toEqual({ cutConnections: 0 })
})

test('tunnels are closed at moments of their own, all of them within the time', async () => {
  await proxy.publish({ settings: { timeouts: { tunnelDrainMs: 2_000 } } })
  const tunnels: RawClient[] = []
  while (tunnels.length < 20) tunnels.push((await open()).client)
  const moments: number[] = []
  for (const client of tunnels) {
    void client.until(goingAway).then(() => {
      moments.push(performance.now())
      client.destroy()
    })
  }
  expect(await drain()).toEqual({ cutConnections: 0 })
  expect(moments).toHaveLength(20)
  expect(Math.max(...moments) - Math.min(...moments)).toBeGreaterThan(200)
})

async function connects(): Promise<boolean> {
  try {
    const client = await proxy.client()
    client.destroy()
    return true
  } catch {
    return false
  }
}

/** Longer than the proxy's clock takes to tick. */
async function turnOfTheClock(): Promise<void> {
  await new Promise(resolve => {
    setTimeout(resolve, 250)
  })
}
