import { afterEach, beforeEach, expect, test } from 'vitest'
import { host, InProcess } from '../proxy/in-process.ts'
import { ok, RawBackend } from '../proxy/raw-backend.ts'

let backends: RawBackend[]
let proxy: InProcess

beforeEach(async () => {
  backends = await Promise.all(['a', 'b', 'c'].map(async () => new RawBackend().start()))
  for (const backend of backends) backend.answer = (_, connection) => connection.send(ok('well'))
  proxy = await new InProcess().start({
    hosts: { 'a.test': host('a.test', 'app'), 'b.test': host('b.test', 'other') },
    backends: { app: backends.map(({ port }) => port), other: backends.map(({ port }) => port) },
  })
})

afterEach(async () => {
  await proxy.close()
  await Promise.all(backends.map(async backend => backend.close()))
})

async function get(times: number, name = 'a.test'): Promise<number[]> {
  const client = await proxy.client()
  const statuses: number[] = []
  for (let time = 0; time < times; time++) {
    client.get(name)
    statuses.push((await client.response()).status)
  }
  client.destroy()
  return statuses
}

test('an endpoint that breaks several times in a row gets no requests for a while, of any backend', async () => {
  const [sick] = backends
  if (sick === undefined) return
  sick.answer = (_, connection) => connection.reset()
  const statuses = [...(await get(30)), ...(await get(30, 'b.test'))]
  // Each request that it broke was sent once more, to another one.
  expect(statuses.filter(status => status !== 200)).toEqual([])
  expect(proxy.stats).toMatchObject({ endpointsEjected: 1 })
  // On a machine that stalls, each ejection that ends lets one more through.
  expect(sick.requests).toHaveLength(4 + proxy.stats.endpointEjections)
})

test('after the while one request is let through, and when it is answered all is well', async () => {
  const [sick] = backends
  if (sick === undefined) return
  sick.answer = (_, connection) => connection.reset()
  await get(15)
  sick.answer = (_, connection) => connection.send(ok('well again'))
  while (proxy.stats.endpointsEjected === 1) expect(await get(3)).toEqual([200, 200, 200])
  const before = sick.requests.length
  expect(await get(30)).not.toContain(502)
  expect(sick.requests).toHaveLength(before + 10)
})

test('when more than half break, all of them go on being asked', async () => {
  for (const backend of backends.slice(0, 2)) backend.answer = (_, connection) => connection.reset()
  await get(30)
  expect(Math.min(...backends.map(({ requests }) => requests.length))).toBeGreaterThan(7)
})

test('the last endpoint is asked whatever it did', async () => {
  const [sick] = backends
  if (sick === undefined) return
  sick.answer = (_, connection) => connection.reset()
  await proxy.publish({ backends: { app: [sick.port] } })
  await get(10)
  sick.answer = (_, connection) => connection.send(ok('well again'))
  expect(await get(3)).toEqual([200, 200, 200])
})

test('a change of the table does not make it forget, the end of the endpoint does', async () => {
  const [sick, ...wellOnes] = backends
  if (sick === undefined) return
  const others = wellOnes.map(({ port }) => port)
  sick.answer = (_, connection) => connection.reset()
  await get(15)
  await proxy.publish({ backends: { app: [...others, sick.port] } })
  await get(30)
  expect(sick.requests).toHaveLength(4 + proxy.stats.endpointEjections)
  await proxy.publish({ backends: { app: others, other: others } })
  expect(proxy.stats.endpointsEjected).toBe(0)
})

test('closing kept connections, and the end of tunnels, are no failures', async () => {
  for (const backend of backends) {
    backend.answer = ({ target }, connection) => {
      if (target === '/ws')
        connection.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
      else connection.send(ok('well'))
    }
  }
  for (let round = 0; round < 20; round++) {
    const client = await proxy.client()
    client.get(
      'a.test',
      '/ws',
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
    )
    expect((await client.response()).status).toBe(101)
    client.destroy()
  }
  await proxy.until(stats => stats.tunnelsOpen === 0)
  expect(proxy.stats.endpointEjections).toBe(0)
})
