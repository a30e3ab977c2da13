import { describe, expect, test } from 'vitest'
import { type InProcess, turn } from '../proxy/in-process.ts'
import { withOneBackend } from '../proxy/one-backend.ts'
import type { RawBackend } from '../proxy/raw-backend.ts'

let backend: RawBackend
let proxy: InProcess

withOneBackend(one => {
  ;({ backend, proxy } = one)
})

const framings = [
  ['a length', 'Content-Length: 100000', 'hello', 'x'],
  ['chunks', 'Transfer-Encoding: chunked', '5\r\nhello\r\n', '1\r\nx\r\n'],
] as const

const leaves = ['resetAndDestroy', 'destroy'] as const

describe.each(framings)('a body with %s', (_, field, begun, next) => {
  test.each(leaves)(
    'that its client breaks off by %s never becomes whole, and its endpoint hears at once',
    async by => {
      const client = await proxy.client()
      client.send(`POST / HTTP/1.1\r\nHost: a.test\r\n${field}\r\n\r\n${begun}`)
      await proxy.until(() => backend.connections[0]?.received.endsWith(begun) === true)
      client.socket[by]()
      await backend.connections[0]?.closed
      await proxy.until(stats => stats.requestsInFlight === 0)
      expect(backend.requests).toEqual([])
      expect(backend.connections[0]?.received.endsWith(begun)).toBe(true)
      expect(proxy.stats.errors.client_gone).toBe(1)
    },
  )

  test.each(leaves)('of a response that its client does not wait for, by %s, ends at the endpoint', async by => {
    backend.answer = (_, connection) => connection.send(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n${begun}`)
    const client = await proxy.client()
    client.get('a.test')
    await client.until('hello')
    client.socket[by]()
    // One that has closed without a reset is gone when something is sent to it.
    while (backend.connections[0]?.isClosed === false) {
      backend.connections[0].send(next)
      await turn()
    }
    await proxy.until(stats => stats.requestsInFlight === 0 && stats.connectionsOpen === 0)
    expect(proxy.stats.errors.client_gone).toBe(1)
  })

  test.each(leaves)('of a response that its endpoint breaks off by %s is seen by the client as cut', async by => {
    backend.answer = (_, connection) => {
      connection.send(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n${begun}`)
    }
    const client = await proxy.client()
    client.get('a.test')
    await client.until('hello')
    backend.connections[0]?.socket[by]()
    await expect(client.response()).rejects.toThrow('before a whole response')
    expect(proxy.stats.errors.upstream_truncated).toBe(1)
  })

  test.each(leaves)('of a request that its endpoint breaks off by %s is 502, and the client is closed', async by => {
    const client = await proxy.client()
    client.send(`POST / HTTP/1.1\r\nHost: a.test\r\n${field}\r\n\r\n${begun}`)
    await proxy.until(() => backend.connections[0]?.received.endsWith(begun) === true)
    backend.connections[0]?.socket[by]()
    const response = await client.response()
    expect(response.status).toBe(502)
    expect(response.headers.get('connection')).toEqual(['close'])
    await client.untilClosed()
  })
})
