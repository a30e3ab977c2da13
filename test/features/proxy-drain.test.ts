import { describe, expect, test } from 'vitest'
import { host, InProcess } from '../proxy/in-process.ts'
import { kill, mortal } from '../proxy/mortal-workers.ts'
import { routedTo, withOwnBackend } from '../proxy/one-backend.ts'
import { ok, type RawBackend } from '../proxy/raw-backend.ts'

let backend: RawBackend
let proxy: InProcess

withOwnBackend(
  own => {
    backend = own
  },
  () => proxy,
)

async function start(workers: number, options = {}): Promise<void> {
  proxy = await new InProcess(workers, options).start(routedTo(backend))
}

/** `/slow` is answered in two halves; gives what sends the second. */
function answerInHalves(): () => void {
  let finish = (): void => {}
  backend.answer = ({ target }, connection) => {
    if (target !== '/slow') return connection.send(ok(`hello from ${target}`))
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf')
    finish = () => connection.send('half')
  }
  return () => finish()
}

describe('a drain', () => {
  test('finishes requests in flight, closes idle connections and loses nothing that was accepted', async () => {
    await start(2)
    const finish = answerInHalves()
    const slow = await proxy.client()
    slow.get('a.test', '/slow')
    await slow.until('half')
    const idle = await proxy.client()
    idle.get('a.test', '/idle')
    await idle.response()
    const drained = proxy.proxy.drain({ lameDuckMs: 50, graceMs: 20_000 })
    const late = await proxy.client()
    late.get('a.test', '/late')
    const lateResponse = await late.response()
    expect(lateResponse.body).toBe('hello from /late')
    expect(lateResponse.headers.get('connection')).toEqual(['close'])
    await idle.untilClosed()
    finish()
    expect((await slow.response()).body).toBe('halfhalf')
    expect(await drained).toEqual({ cutConnections: 0 })
    await expect(proxy.client()).rejects.toThrow('ECONNREFUSED')
  })

  test('answers connections that were accepted and had not asked yet', async () => {
    await start(1)
    const early = await proxy.client()
    const drained = proxy.proxy.drain({ lameDuckMs: 0, graceMs: 20_000 })
    while (true) {
      const probe = await proxy.client().catch(() => undefined)
      if (probe === undefined) break
      probe.destroy()
    }
    early.get('a.test', '/early')
    expect((await early.response()).body).toBe('hello from /early')
    expect(await drained).toEqual({ cutConnections: 0 })
  })

  test('takes one more request on a connection whose response outlived the listeners', async () => {
    await start(1)
    const finish = answerInHalves()
    const client = await proxy.client()
    client.get('a.test', '/slow')
    await client.until('half')
    const drained = proxy.proxy.drain({ lameDuckMs: 0, graceMs: 20_000 })
    while (true) {
      const probe = await proxy.client().catch(() => undefined)
      if (probe === undefined) break
      probe.destroy()
    }
    finish()
    expect((await client.response()).headers.get('connection')).toBeUndefined()
    // Nothing told the client not to use its connection again; it takes longer than the proxy's clock to tick.
    await new Promise(resolve => {
      setTimeout(resolve, 250)
    })
    client.get('a.test', '/next')
    const next = await client.response()
    expect(next.body).toBe('hello from /next')
    expect(next.headers.get('connection')).toEqual(['close'])
    expect(await drained).toEqual({ cutConnections: 0 })
  })

  test('takes the next request of a client that asked just before, though it no longer accepts connections', async () => {
    // The proxy waits a second for it. Where a thread is kept waiting that long itself, a round proves nothing.
    let answer: string | undefined
    for (let round = 0; round < 5 && answer === undefined; round++) {
      await start(1)
      const client = await proxy.client()
      client.get('a.test', '/first')
      await client.response()
      const drained = proxy.proxy.drain({ lameDuckMs: 0, graceMs: 20_000 })
      // Without a new connection the listeners close after three ticks of the proxy's clock.
      await new Promise(resolve => {
        setTimeout(resolve, 600)
      })
      const accepts = await proxy.client().then(
        () => true,
        () => false,
      )
      client.get('a.test', '/next')
      const next = await client.response().catch(() => undefined)
      if (!accepts) answer = next?.headers.get('connection')?.join()
      await drained
      await proxy.close()
    }
    await start(1)
    expect(answer).toBe('close')
  })

  test('under steady load fails no request', async () => {
    await start(2)
    const stopped = new AbortController()
    const outcomes: string[] = []
    const load = Array.from({ length: 8 }, async () => {
      while (!stopped.signal.aborted) {
        const client = await proxy.client().catch(() => undefined)
        if (client === undefined) return
        while (!client.ended) {
          client.get('a.test', '/load')
          const response = await client.response().catch(() => undefined)
          outcomes.push(response === undefined ? 'cut' : String(response.status))
          if (response?.headers.get('connection')?.[0] === 'close') break
        }
        client.destroy()
      }
    })
    await proxy.until(stats => stats.requests > 50)
    const drained = proxy.proxy.drain({ lameDuckMs: 100, graceMs: 20_000 })
    setTimeout(() => {
      // As endpoints of a Service do: soon after the drain began nobody sends new connections here.
      stopped.abort()
    }, 50)
    await Promise.all(load)
    expect(await drained).toEqual({ cutConnections: 0 })
    expect(new Set(outcomes)).toEqual(new Set(['200']))
  })

  test('cuts what outlives the grace, and says how much', async () => {
    await start(1)
    backend.answer = () => {}
    const client = await proxy.client()
    client.get('a.test', '/never')
    await proxy.until(() => backend.requests.length === 1)
    expect(await proxy.proxy.drain({ lameDuckMs: 0, graceMs: 300 })).toEqual({ cutConnections: 1 })
    await client.untilClosed()
    expect(proxy.stats).toMatchObject({ requests: 1, responses4xx: 1 })
    expect(proxy.accessLog()).toContain('"GET /never HTTP/1.1" 499 ')
  })

  test('does not wait for a worker that hangs, and counts its connections as cut', async () => {
    await start(1, { ...mortal, hangMs: 2_000 })
    const client = await proxy.client()
    client.get('a.test')
    await client.response()
    kill('hang 0')
    expect(await proxy.proxy.drain({ lameDuckMs: 0, graceMs: 600_000 })).toEqual({ cutConnections: 1 })
    await client.untilClosed()
    expect(proxy.stats.workersServing).toBe(0)
  })

  test('waits for one worker as long as it needs, though another has long ended', async () => {
    await start(2, { hangMs: 2_000 })
    backend.answer = () => {}
    const client = await proxy.client()
    client.get('a.test', '/never')
    await proxy.until(() => backend.requests.length === 1)
    expect(await proxy.proxy.drain({ lameDuckMs: 0, graceMs: 4_000 })).toEqual({ cutConnections: 1 })
    expect(proxy.stats.workersLost).toBe(0)
  })

  test('ends publications: nobody waits for one that comes too late', async () => {
    await start(1)
    await proxy.proxy.drain({ lameDuckMs: 0, graceMs: 1_000 })
    await proxy.publish({ hosts: { 'b.test': host('b.test', 'app') } })
    expect(proxy.proxy.servedRevision).toBe(0)
  })

  test('closes tunnels', async () => {
    await start(1)
    await proxy.publish({ settings: { timeouts: { tunnelDrainMs: 0 } } })
    backend.answer = (_, connection) => {
      backend.readsRequests = false
      connection.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    }
    const client = await proxy.client()
    client.get(
      'a.test',
      '/',
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
    )
    expect((await client.response()).status).toBe(101)
    const drained = proxy.proxy.drain({ lameDuckMs: 0, graceMs: 20_000 })
    await client.untilClosed()
    client.destroy()
    expect(await drained).toEqual({ cutConnections: 0 })
  })
})
