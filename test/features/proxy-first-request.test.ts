import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Delta } from '../../src/routing/model.ts'
import { packBackend } from '../../src/routing/packed-backend.ts'
import { backendId, host, InProcess } from '../proxy/in-process.ts'
import { ok, RawBackend } from '../proxy/raw-backend.ts'

// A worker does nothing for a backend before its first request: what happened to the backend until then must not show.

let backends: RawBackend[]
let proxy: InProcess

beforeEach(async () => {
  backends = await Promise.all(Array.from({ length: 2 }, async () => new RawBackend().start()))
  for (const [index, backend] of backends.entries())
    backend.answer = (_, connection) => connection.send(ok(String(index)))
  proxy = await new InProcess().start({ hosts: { 'a.test': host('a.test', 'app') }, backends: { app: portsOf(0) } })
})

afterEach(async () => {
  await proxy.close()
  for (const backend of backends) await backend.close()
})

const portsOf = (index: number): number[] => [backends[index]?.port ?? 0]

async function ask(): Promise<string> {
  const client = await proxy.client()
  client.get('a.test')
  const { status, body } = await client.response()
  client.destroy()
  return status === 200 ? body : String(status)
}

test('the first request of a backend goes to the endpoints that it has by then', async () => {
  await proxy.publish({ backends: { app: portsOf(1) } })
  await proxy.publish({ backends: { app: portsOf(0) } })
  await proxy.publish({ backends: { app: portsOf(1) } })
  expect(await ask()).toBe('1')
  expect(backends[0]?.requests).toHaveLength(0)
})

test('a backend that went before its first request and came back is served', async () => {
  await proxy.publish({ backends: { app: undefined } })
  expect(await ask()).toBe('503')
  await proxy.publish({ backends: { app: portsOf(0) } })
  expect(await ask()).toBe('0')
})

test('endpoints that cross to the worker packed are reached, change, and go', async () => {
  let revision = 1000
  const publish = (port: number | undefined): Promise<void> => {
    revision += 1
    const endpoints = port === undefined ? [] : [{ address: '127.0.0.1', port, zone: 'zone-1' }]
    const backend = packBackend({ id: backendId('app'), namespace: 'test', service: 'app', port: '80', endpoints })
    const delta: Delta = {
      revision,
      hosts: new Map(),
      backends: new Map([[backend.id, backend]]),
      certificates: new Map(),
    }
    return proxy.proxy.publish(delta)
  }
  await publish(backends[1]?.port)
  expect(await ask()).toBe('1')
  await publish(backends[0]?.port)
  expect(await ask()).toBe('0')
  await publish(undefined)
  expect(await ask()).toBe('503')
})
