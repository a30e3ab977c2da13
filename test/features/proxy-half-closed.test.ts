import { expect, test } from 'vitest'
import type { InProcess } from '../proxy/in-process.ts'
import { withOneBackend } from '../proxy/one-backend.ts'
import { ok, type RawBackend } from '../proxy/raw-backend.ts'
import type { RawClient, ReceivedResponse } from '../proxy/raw-client.ts'

let backend: RawBackend
let proxy: InProcess

withOneBackend(one => {
  ;({ backend, proxy } = one)
})

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
