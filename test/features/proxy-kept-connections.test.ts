import { expect, test } from 'vitest'
import type { InProcess, SettingsChange } from '../proxy/in-process.ts'
import { withOneBackend } from '../proxy/one-backend.ts'
import { type BackendConnection, ok, type RawBackend } from '../proxy/raw-backend.ts'

let backend: RawBackend
let proxy: InProcess

withOneBackend(one => {
  ;({ backend, proxy } = one)
})

async function keep(upstreamKeepAlive: NonNullable<SettingsChange['upstreamKeepAlive']>): Promise<void> {
  await proxy.publish({ settings: { upstreamKeepAlive } })
}

async function get(times: number): Promise<void> {
  const client = await proxy.client()
  for (let time = 0; time < times; time++) {
    client.get('a.test')
    expect((await client.response()).status).toBe(200)
  }
  client.destroy()
}

/** So many requests at once, each on a connection of its own. */
async function together(count: number): Promise<void> {
  const waiting: BackendConnection[] = []
  backend.answer = (_, connection) => waiting.push(connection)
  const clients = await Promise.all(Array.from({ length: count }, async () => proxy.client()))
  for (const client of clients) client.get('a.test')
  await proxy.until(() => waiting.length === count)
  backend.answer = (_, connection) => connection.send(ok('well'))
  for (const [index, connection] of waiting.entries()) {
    connection.send(ok('well'))
    await proxy.until(stats => stats.requests === index + 1)
  }
  for (const client of clients) client.destroy()
}

test('a connection is closed when it was idle for as long as the setting says', async () => {
  await keep({ idleMs: 50 })
  await get(1)
  await backend.connections[0]?.closed
  await proxy.until(stats => stats.upstreamIdle === 0 && stats.upstreamOpen === 0)
  expect(proxy.stats.upstreamConnects).toBe(1)
})

test('a connection carries as many requests as the setting says, and with 0 any number', async () => {
  await keep({ maxRequestsPerConnection: 2 })
  await get(4)
  expect(backend.connections).toHaveLength(2)
  await keep({ maxRequestsPerConnection: 0 })
  await get(5)
  expect(backend.connections).toHaveLength(3)
})

test('a connection is not used for longer than the setting says, busy or idle', async () => {
  await keep({ maxLifetimeMs: 300 })
  while (backend.connections.length < 2) await get(1)
  await backend.connections[0]?.closed
  await backend.connections[1]?.closed
  await proxy.until(stats => stats.upstreamOpen === 0)
  expect(proxy.stats.upstreamConnects).toBe(backend.connections.length)
})

test('no more connections are kept than the setting says, and the one used last is used first', async () => {
  await keep({ maxIdlePerEndpoint: 2 })
  await together(3)
  await proxy.until(stats => stats.upstreamIdle === 2 && stats.upstreamOpen === 2)
  await get(3)
  expect(backend.requests.slice(3).map(({ connection }) => connection)).toEqual([1, 1, 1])
})

test('with 0 none is kept', async () => {
  await keep({ maxIdlePerEndpoint: 0 })
  await get(3)
  expect(backend.connections).toHaveLength(3)
})

test('an endpoint that says how long it waits is not asked after that', async () => {
  backend.answer = (_, connection) =>
    connection.send('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 0\r\n\r\n')
  await get(1)
  await proxy.until(stats => stats.requests === 1)
  await backend.connections[0]?.closed
  expect(proxy.stats.upstreamConnects).toBe(1)
})
