import { expect, test } from 'vitest'
import type { InProcess } from '../proxy/in-process.ts'
import { withOneBackend } from '../proxy/one-backend.ts'
import type { RawBackend } from '../proxy/raw-backend.ts'

const bodyBytes = 8 * 1024 * 1024
const refusal = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\n\r\ntoo long'

let backend: RawBackend
let proxy: InProcess

withOneBackend(
  one => {
    ;({ backend, proxy } = one)
    backend.readsRequests = false
  },
  { settings: { limits: { maxBodyBytes: 0 } } },
)

test.each([
  ['resets the connection', (socket: { resetAndDestroy(): unknown }) => socket.resetAndDestroy()],
  ['closes it', (socket: { destroy(): unknown }) => socket.destroy()],
  ['leaves it open', () => {}],
])('an answer in the middle of an upload reaches the client, also when the endpoint then %s', async (_, then) => {
  backend.accepted = ({ socket }) => {
    socket.once('data', () => {
      socket.pause()
      socket.write(refusal, 'latin1', () => then(socket))
    })
  }
  for (let round = 0; round < 20; round++) {
    const client = await proxy.client()
    client.send(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${bodyBytes}\r\n\r\n`)
    client.send(Buffer.alloc(bodyBytes, 'x'))
    expect(await client.response()).toMatchObject({ status: 413, body: 'too long' })
    client.destroy()
  }
  await proxy.until(stats => stats.upstreamOpen === 0)
  expect(proxy.stats.responses5xx).toBe(0)
})

test('an endpoint that breaks off in the middle of an upload is 502', async () => {
  backend.accepted = ({ socket }) => void socket.once('data', () => socket.resetAndDestroy())
  for (let round = 0; round < 5; round++) {
    const client = await proxy.client()
    client.send(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${bodyBytes}\r\n\r\n`)
    client.send(Buffer.alloc(bodyBytes, 'x'))
    expect((await client.response()).status).toBe(502)
    client.destroy()
  }
})

test('an answer without a length that ends in a reset is cut for the client, too', async () => {
  backend.accepted = ({ socket }) => {
    socket.once('data', () => {
      socket.pause()
      socket.write('HTTP/1.1 413 Content Too Large\r\n\r\ntoo lo', 'latin1', () => socket.resetAndDestroy())
    })
  }
  const client = await proxy.client()
  client.send(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${bodyBytes}\r\n\r\n`)
  client.send(Buffer.alloc(bodyBytes, 'x'))
  await expect(client.response()).rejects.toThrow('before a whole response')
})
