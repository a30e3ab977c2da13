import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CoarseClock } from '../../src/proxy/coarse-clock.ts'
import { EndpointGuard } from '../../src/proxy/endpoint-guard.ts'
import { EndpointPool } from '../../src/proxy/endpoint-pool.ts'
import type { ProxyErrorCode } from '../../src/proxy/errors.ts'
import { PassiveHealth } from '../../src/proxy/passive-health.ts'
import { ReadBuffers } from '../../src/proxy/read-buffers.ts'
import { probeSocketInternals } from '../../src/proxy/socket-internals.ts'
import type { UpstreamConnection, UpstreamUser } from '../../src/proxy/upstream-connection.ts'
import { WorkerCounters } from '../../src/proxy/worker-counters.ts'
import { defaultSettings } from '../../src/routing/default-settings.ts'
import { turn } from './in-process.ts'
import { ok } from './raw-backend.ts'

const buffers = new ReadBuffers()
const internals = await probeSocketInternals(buffers)
const { readMs } = defaultSettings.timeouts
const switching = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'

/** Hears what the connection tells; it sends and releases as the test says. */
class Requester implements UpstreamUser {
  body = ''
  status = 0
  failedWith: ProxyErrorCode | undefined
  ready = false
  /** Called when the response is whole. */
  onEnd: () => void = () => {}

  upstreamReady(): void {
    this.ready = true
  }
  upstreamInterim(): void {}
  upstreamHead({ status }: { readonly status: number }): void {
    this.status = status
  }
  upstreamReadBegins(): void {}
  upstreamReadEnds(): void {}
  upstreamBody(bytes: Buffer, start: number, end: number): void {
    this.body += bytes.toString('latin1', start, end)
  }
  upstreamEnd(): void {
    this.onEnd()
  }
  upstreamTunnelEnd(): void {}
  upstreamTunnel(): void {}
  upstreamDrained(): void {}
  upstreamFailed(code: ProxyErrorCode): void {
    this.failedWith = code
  }
  upstreamBroke(error: unknown): void {
    throw error
  }
}

let server: Server
let endpoint: Socket[]
let clock: CoarseClock
let pool: EndpointPool
let connections: Set<UpstreamConnection>

beforeEach(async () => {
  endpoint = []
  server = createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {})
    endpoint.push(socket)
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const bound = server.address()
  clock = new CoarseClock()
  connections = new Set()
  const counters = new WorkerCounters()
  pool = new EndpointPool(
    { address: '127.0.0.1', port: bound !== null && typeof bound === 'object' ? bound.port : 0 },
    {
      key: 'endpoint',
      joinedMs: -1,
      clock,
      counters,
      guard: new EndpointGuard({ allowLoopback: true }),
      transports: { buffers, internals },
      health: new PassiveHealth(clock, counters),
      connections,
    },
  )
})

afterEach(() => {
  for (const connection of connections) connection.destroy()
  for (const socket of endpoint) socket.destroy()
  server.close()
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn()
}

/** A connection that has sent this, the socket that its endpoint has, and who hears of the response. */
async function sent(text: string): Promise<{ upstream: UpstreamConnection; far: Socket; user: Requester }> {
  const upstream = pool.take(defaultSettings, Number.POSITIVE_INFINITY)
  const user = new Requester()
  upstream.begin(user, 'POST', defaultSettings.timeouts)
  await until(() => user.ready && endpoint.length > 0)
  upstream.send(text)
  const [far] = endpoint
  if (far === undefined) throw new Error('the endpoint has no connection')
  await new Promise(resolve => {
    far.once('data', resolve)
  })
  return { upstream, far, user }
}

const upload = 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhello'

describe('a connection whose endpoint is gone while the end of a request is sent', () => {
  /** The whole answer waits to be read; then the rest of the request is sent, in vain. */
  async function lost(): Promise<{ upstream: UpstreamConnection; user: Requester }> {
    const { upstream, far, user } = await sent(upload)
    upstream.pause()
    far.write(ok('well'), () => far.resetAndDestroy())
    await new Promise(resolve => {
      far.once('close', resolve)
    })
    upstream.send('world')
    return { upstream, user }
  }

  test('gives its answer, and is not kept for another request', async () => {
    const { upstream, user } = await lost()
    let next: UpstreamConnection | undefined
    user.onEnd = () => {
      upstream.release(true)
      next = pool.take(defaultSettings, Number.POSITIVE_INFINITY)
    }
    upstream.awaitResponse()
    upstream.resume()
    await until(() => next !== undefined || user.failedWith !== undefined)
    expect(user).toMatchObject({ failedWith: undefined, status: 200, body: 'well' })
    expect(next).not.toBe(upstream)
  })

  test('keeps that answer while the client does not take more', async () => {
    const { upstream, user } = await lost()
    user.onEnd = () => upstream.release(true)
    upstream.sweep(clock.nowMs + readMs)
    expect(user.failedWith).toBeUndefined()
    upstream.resume()
    await until(() => user.body === 'well' || user.failedWith !== undefined)
    expect(user.body).toBe('well')
  })
})

describe('the read timeout', () => {
  test('does not begin before the request is whole, also after a pause', async () => {
    const { upstream, far, user } = await sent(upload)
    far.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')
    await until(() => user.body === 'hello')
    upstream.pause()
    upstream.resume()
    upstream.sweep(clock.nowMs + 2 * readMs)
    expect(user.failedWith).toBeUndefined()
    upstream.pause()
    upstream.send('world')
    upstream.awaitResponse()
    upstream.sweep(clock.nowMs + 2 * readMs)
    expect(user.failedWith).toBeUndefined()
    upstream.resume()
    upstream.sweep(clock.nowMs + 2 * readMs)
    expect(user.failedWith).toBe('upstream_read_timeout')
  })

  test('begins anew with each request of a connection', async () => {
    const { upstream, far, user } = await sent(upload)
    user.onEnd = () => upstream.release(true)
    upstream.send('world')
    upstream.awaitResponse()
    far.write(ok('well'))
    await until(() => user.body === 'well')
    const { upstream: again, user: second } = await sent(upload)
    expect(again).toBe(upstream)
    again.pause()
    again.resume()
    again.sweep(clock.nowMs + 2 * readMs)
    expect(second.failedWith).toBeUndefined()
  })
})

describe('a tunnel that was left', () => {
  /** More than the kernel takes while the endpoint does not read. */
  const bytes = 32 * 1024 * 1024

  async function left(): Promise<{ far: Socket; received: () => number }> {
    const { upstream, far, user } = await sent('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')
    far.write(switching)
    await until(() => user.status === 101)
    upstream.awaitResponse()
    far.pause()
    let received = 0
    far.on('data', chunk => {
      received += chunk.length
    })
    upstream.sendBytes(Buffer.alloc(bytes, 'x'), 0, bytes)
    upstream.leave()
    return { far, received: () => received }
  }

  /** What the endpoint has said before is read by then. */
  async function turns(): Promise<void> {
    for (let count = 0; count < 20; count++) await turn()
  }

  test.each([
    ['goes on talking', (far: Socket) => far.write('not heard')],
    ['has said all it has', (far: Socket) => far.end('not heard')],
  ])('is closed only when all that was sent has left, also when the endpoint %s', async (_, speak) => {
    const { far, received } = await left()
    speak(far)
    await turns()
    far.resume()
    await new Promise(resolve => {
      far.once('end', resolve)
      far.once('close', resolve)
    })
    expect(received()).toBe(bytes)
    far.end()
    await until(() => connections.size === 0)
  })

  test('is closed after the read timeout, whatever the endpoint says', async () => {
    const { far } = await left()
    far.write('not heard')
    await turns()
    expect(connections.size).toBe(1)
    clock.nowMs += readMs
    far.write('not heard')
    await turns()
    for (const connection of connections) connection.sweep(clock.nowMs + 100)
    expect(connections.size).toBe(0)
  })
})
