import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { InProcess, type SettingsChange, turn } from '../proxy/in-process.ts'
import { routedTo, withOwnBackend } from '../proxy/one-backend.ts'
import type { RawBackend } from '../proxy/raw-backend.ts'
import { RawClient } from '../proxy/raw-client.ts'
import { testCertificate } from '../proxy/test-certificate.ts'

let backend: RawBackend
let proxy: InProcess

withOwnBackend(
  own => {
    backend = own
  },
  () => proxy,
)

async function start(settings: SettingsChange, options = {}): Promise<void> {
  const certificate = testCertificate('test/default', 'default', ['a.test'])
  proxy = await new InProcess(1, options).start({
    ...routedTo(backend),
    certificates: [certificate],
    defaultCertificate: certificate.id,
    settings,
  })
}

/** Sends this text again and again, a byte at a time, until the connection ends. */
async function dribble(client: RawClient, text: string, everyMs: number): Promise<void> {
  for (let at = 0; !client.ended; at = (at + 1) % text.length) {
    client.send(text.charAt(at))
    await Promise.race([
      client.changed(),
      new Promise(resolve => {
        setTimeout(resolve, everyMs)
      }),
    ])
  }
}

describe('a client slower than the minimum rate', () => {
  test('gets 408 for its head after the grace, long before the head timeout', async () => {
    await start({ timeouts: { clientHeadMs: 3_600_000, slowClientGraceMs: 300 } })
    const client = await proxy.client()
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\n')
    await dribble(client, 'X-Slow: yes\r\n', 20)
    expect((await client.response()).status).toBe(408)
    expect(proxy.stats.errors.request_timeout).toBe(1)
  })

  test('gets 408 for its body, though no pause between two bytes is longer than the body timeout', async () => {
    await start({ timeouts: { clientBodyMs: 500, slowClientGraceMs: 300 } })
    const client = await proxy.client()
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\n')
    await dribble(client, 'x', 20)
    expect((await client.response()).status).toBe(408)
    await backend.connections[0]?.closed
  })

  test('is read from now and then only, and loses nothing by it', async () => {
    await start({ timeouts: { slowClientGraceMs: 3_600_000 } })
    let pieces = 0
    backend.accepted = connection => {
      connection.socket.on('data', () => {
        pieces++
      })
    }
    const body = 'abcdefghij'.repeat(10)
    const client = await proxy.client()
    client.send(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${body.length}\r\n\r\n`)
    for (const octet of body) {
      client.send(octet)
      await new Promise(resolve => {
        setTimeout(resolve, 10)
      })
    }
    expect((await client.response()).status).toBe(200)
    expect(backend.requests[0]?.body).toBe(body)
    expect(pieces).toBeLessThan(60)
  })

  test('is not meant where the endpoint is slow, and where no rate is set', async () => {
    const body = 'x'.repeat(32 * 1024 * 1024)
    await start({ timeouts: { slowClientGraceMs: 100 }, limits: { maxBodyBytes: 0 } })
    backend.readsRequests = false
    backend.accepted = connection => connection.socket.pause()
    const client = await proxy.client()
    client.send(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    await proxy.until(stats => stats.connectionsOpen === 1)
    await new Promise(resolve => {
      setTimeout(resolve, 1_000)
    })
    backend.connections[0]?.socket.resume()
    await proxy.until(() => (backend.connections[0]?.receivedBytes ?? 0) > body.length)
    backend.connections[0]?.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    expect((await client.response()).status).toBe(200)
    client.destroy()
    await proxy.publish({ settings: { timeouts: { slowClientGraceMs: 100 }, limits: { minHeadBytesPerSecond: 0 } } })
    const slow = await proxy.client()
    slow.send('GET /slow HTTP/1.1\r\n')
    await new Promise(resolve => {
      setTimeout(resolve, 600)
    })
    backend.readsRequests = true
    slow.send('Host: a.test\r\n\r\n')
    expect((await slow.response()).status).toBe(200)
  })

  test('does not prolong the send timeout by taking a little now and then', async () => {
    await start({ timeouts: { sendMs: 500 } })
    backend.answer = (_, connection) => {
      const block = Buffer.alloc(1_048_576, 'x')
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * block.length}\r\n\r\n`)
      for (let sent = 0; sent < 64; sent++) connection.send(block)
    }
    const client = await proxy.client()
    client.socket.pause()
    client.get('a.test')
    while (proxy.stats.errors.client_too_slow === 0) {
      client.socket.read(1)
      await turn()
    }
    expect(proxy.stats.connectionsOpen).toBe(0)
  })
})

describe('connections from one address', () => {
  test('over its limit are closed at once, and again taken when others end', async () => {
    await start({ limits: { maxConnectionsPerAddress: 3 } })
    const clients = [await proxy.client(), await proxy.client(), await proxy.client()]
    await proxy.until(stats => stats.connectionsOpen === 3)
    const fourth = await proxy.client()
    await fourth.untilClosed()
    expect(proxy.stats.connectionsRefused).toBe(1)
    clients[0]?.destroy()
    await proxy.until(stats => stats.connectionsOpen === 2)
    const fifth = await proxy.client()
    fifth.get('a.test')
    expect((await fifth.response()).status).toBe(200)
  })

  test('over its limit cost nobody else an idle connection, though there is room for no more', async () => {
    await start({ limits: { maxConnections: 4, maxConnectionsPerAddress: 2 } })
    const others = [await proxy.client(), await proxy.client()]
    const mine = [await connectFrom('127.0.0.2'), await connectFrom('127.0.0.2')]
    await proxy.until(stats => stats.connectionsOpen === 4)
    const refused = await connectFrom('127.0.0.2')
    await refused.untilClosed()
    expect(proxy.stats).toMatchObject({ connectionsRefused: 1, connectionsEvicted: 0 })
    expect([...others, ...mine].some(client => client.ended)).toBe(false)
  })

  test('that find no room do not count', async () => {
    await start({ limits: { maxConnections: 1, maxConnectionsPerAddress: 1 } })
    const { answer } = backend
    backend.answer = () => {}
    const busy = await proxy.client()
    busy.get('a.test')
    await proxy.until(() => backend.requests.length === 1)
    const refused = await connectFrom('127.0.0.2')
    await refused.untilClosed()
    busy.socket.resetAndDestroy()
    await proxy.until(stats => stats.connectionsOpen === 0)
    backend.answer = answer
    const served = await connectFrom('127.0.0.2')
    served.get('a.test')
    expect((await served.response()).status).toBe(200)
  })

  test('count from the first byte of a TLS handshake until they end, whatever became of it', async () => {
    await start({ limits: { maxConnectionsPerAddress: 2 } })
    for (let round = 0; round < 3; round++) {
      const silent = await RawClient.connect(proxy.httpsPort)
      const served = await RawClient.connectTls(proxy.httpsPort, { servername: 'a.test' })
      served.get('a.test')
      expect((await served.response()).status).toBe(200)
      const refused = await RawClient.connect(proxy.httpsPort)
      await refused.untilClosed()
      silent.send('this is no handshake')
      await silent.untilClosed()
      served.destroy()
      await proxy.until(stats => stats.connectionsOpen === 0 && stats.connectionsRefused === round + 1)
      // The end of the last one is seen by the sockets beneath a little later.
      await turn()
      await turn()
    }
  })
})

describe('when there is room for no more connections', () => {
  test('those make room that have been idle longest, and none with a request', async () => {
    await start({ limits: { maxConnections: 4 } })
    backend.answer = ({ target }, connection) => {
      if (target !== '/never') connection.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    }
    const busy = await proxy.client()
    busy.get('a.test', '/never')
    const half = await proxy.client()
    half.send('GET /half HTTP/1.1\r\n')
    const older = await proxy.client()
    older.get('a.test')
    await older.response()
    await proxy.until(stats => stats.connectionsOpen === 3)
    // Two ticks of the clock: by then one has been idle longer.
    await new Promise(resolve => {
      setTimeout(resolve, 250)
    })
    const newer = await proxy.client()
    newer.get('a.test')
    await newer.response()
    const late = await proxy.client()
    late.get('a.test')
    expect((await late.response()).status).toBe(200)
    await older.untilClosed()
    expect(proxy.stats).toMatchObject({ connectionsEvicted: 1, connectionsRefused: 0 })
    expect(busy.ended || half.ended || newer.ended).toBe(false)
    half.send('Host: a.test\r\n\r\n')
    expect((await half.response()).status).toBe(200)
  })

  test('and none is idle, new ones are refused', async () => {
    await start({ limits: { maxConnections: 2 } })
    const halves = [await proxy.client(), await proxy.client()]
    for (const half of halves) half.send('GET / HTTP/1.1\r\n')
    await proxy.until(stats => stats.connectionsOpen === 2)
    await new Promise(resolve => {
      setTimeout(resolve, 250)
    })
    const late = await proxy.client()
    await late.untilClosed()
    expect(proxy.stats).toMatchObject({ connectionsEvicted: 0, connectionsRefused: 1 })
    for (const half of halves) half.send('Host: a.test\r\n\r\n')
    for (const half of halves) expect((await half.response()).status).toBe(200)
  })
})

describe('when memory is short', () => {
  test('new requests get 503, new connections are refused, idle ones closed, and all is well again after', async () => {
    const usage = { bytes: 1 }
    await start({}, { memory: { limitBytes: 1_000, usage: () => usage.bytes } })
    const release: (() => void)[] = []
    backend.answer = (_, connection) => {
      release.push(() => connection.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone'))
    }
    const served = await proxy.client()
    served.get('a.test')
    const idle = await proxy.client()
    const partial = await proxy.client()
    partial.send('GET / HTTP/1.1\r\nHost: a.test\r\n')
    await proxy.until(stats => stats.connectionsOpen === 3 && release.length === 1)
    usage.bytes = 900
    await proxy.until(stats => stats.memoryIsOver === 1)
    await idle.untilClosed()
    const refused = await proxy.client()
    await refused.untilClosed()
    partial.send('\r\n')
    const { status, headers } = await partial.response()
    expect([status, headers.get('connection'), headers.get('retry-after')]).toEqual([503, ['close'], ['2']])
    release[0]?.()
    expect((await served.response()).body).toBe('done')
    expect(proxy.stats).toMatchObject({ connectionsRefused: 1, memoryEpisodes: 1 })
    expect(proxy.stats.errors.overloaded).toBe(1)
    usage.bytes = 700
    await proxy.until(stats => stats.memoryIsOver === 0)
    backend.answer = (_, connection) => connection.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    const again = await untilServed()
    expect(again).toBe(200)
    const lines = proxy.logged.filter(line => String(line['msg']).startsWith('memory '))
    expect(lines).toHaveLength(2)
    expect(proxy.stats.workersLost).toBe(0)
  })
})

async function connectFrom(localAddress: string): Promise<RawClient> {
  const socket = connect({ host: '127.0.0.1', port: proxy.httpPort, localAddress, noDelay: true })
  await once(socket, 'connect')
  return new RawClient(socket)
}

/** The workers hear of it a moment after the control thread. */
async function untilServed(): Promise<number> {
  while (true) {
    const client = await proxy.client()
    client.get('a.test')
    const response = await client.response().catch(() => undefined)
    client.destroy()
    if (response?.status === 200) return 200
    await turn()
  }
}
