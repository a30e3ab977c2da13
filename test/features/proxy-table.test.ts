import { networkInterfaces } from 'node:os'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseSourceRange } from '../../src/routing/source-ranges.ts'
import { host, InProcess } from '../proxy/in-process.ts'
import { ok, RawBackend } from '../proxy/raw-backend.ts'

const hasIpv6 = Object.values(networkInterfaces()).some(list => list?.some(({ family }) => family === 'IPv6'))

let backends: RawBackend[]
let proxy: InProcess

beforeEach(async () => {
  backends = await Promise.all(Array.from({ length: 3 }, async () => new RawBackend().start()))
  for (const [index, backend] of backends.entries())
    backend.answer = (_, connection) => connection.send(ok(String(index)))
  proxy = await new InProcess().start({
    hosts: { 'a.test': host('a.test', 'app') },
    backends: { app: backends.map(backend => backend.port) },
  })
})

afterEach(async () => {
  await proxy.close()
  for (const backend of backends) await backend.close()
})

const portsOf = (...indexes: number[]): number[] => indexes.map(index => backends[index]?.port ?? 0)

async function statusOf(host: string, target = '/'): Promise<number> {
  const client = await proxy.client()
  client.get(host, target)
  const { status } = await client.response()
  client.destroy()
  return status
}

describe('endpoints', () => {
  test('get 200 each of 600 requests over three, by one worker', async () => {
    const client = await proxy.client()
    const counts = new Map<string, number>()
    for (let index = 0; index < 600; index++) {
      client.get('a.test')
      const { body } = await client.response()
      counts.set(body, (counts.get(body) ?? 0) + 1)
    }
    expect(Object.fromEntries(counts)).toEqual({ 0: 200, 1: 200, 2: 200 })
  })

  test('that are removed get no request that begins after the publication', async () => {
    const client = await proxy.client()
    for (let index = 0; index < 6; index++) {
      client.get('a.test')
      await client.response()
    }
    await proxy.publish({ backends: { app: portsOf(1, 2) } })
    const before = backends[0]?.requests.length
    for (let index = 0; index < 12; index++) {
      client.get('a.test')
      await client.response()
    }
    expect(backends[0]?.requests.length).toBe(before)
    await backends[0]?.connections[0]?.closed
  })

  test('that are removed finish what they are doing, and the connection is closed after it', async () => {
    await proxy.publish({ backends: { app: portsOf(0) } })
    let finish = (): void => {}
    const [first] = backends
    if (first !== undefined) {
      first.answer = (_, connection) => {
        connection.send('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf')
        finish = () => connection.send('half')
      }
    }
    const client = await proxy.client()
    client.get('a.test')
    await client.until('half')
    await proxy.publish({ backends: { app: portsOf(1) } })
    finish()
    expect((await client.response()).body).toBe('halfhalf')
    await first?.connections[0]?.closed
    client.get('a.test')
    expect((await client.response()).body).toBe('1')
  })

  test('that come back are reached over new connections', async () => {
    await proxy.publish({ backends: { app: portsOf(0) } })
    const client = await proxy.client()
    client.get('a.test')
    await client.response()
    await proxy.publish({ backends: { app: portsOf(1) } })
    await proxy.publish({ backends: { app: portsOf(0) } })
    client.get('a.test')
    expect((await client.response()).body).toBe('0')
    expect(backends[0]?.connections).toHaveLength(2)
  })

  test('that two services share keep their connections while one of them stays', async () => {
    await proxy.publish({ backends: { app: portsOf(0), other: portsOf(0) } })
    const client = await proxy.client()
    client.get('a.test')
    await client.response()
    await proxy.publish({ backends: { other: undefined } })
    client.get('a.test')
    await client.response()
    expect(backends[0]?.connections).toHaveLength(1)
  })

  test('of nobody are 503, and so is a service that is not there', async () => {
    await proxy.publish({ backends: { app: [] }, hosts: { 'b.test': host('b.test', 'gone') } })
    expect(await statusOf('a.test')).toBe(503)
    expect(await statusOf('b.test')).toBe(503)
    await proxy.publish({ backends: { app: portsOf(2) } })
    expect(await statusOf('a.test')).toBe(200)
  })

  test('on loopback are not connected to unless that is allowed', async () => {
    const guarded = await new InProcess(1, { allowLoopbackEndpoints: false }).start({
      hosts: { 'a.test': host('a.test', 'app') },
      backends: { app: portsOf(0) },
    })
    try {
      const client = await guarded.client()
      client.get('a.test')
      expect((await client.response()).status).toBe(502)
      expect(backends[0]?.connections).toHaveLength(0)
    } finally {
      await guarded.close()
    }
  })

  test('named by DNS are resolved, and not connected to when the name means loopback', async () => {
    const named = { id: 'test/named/80', namespace: 'test', service: 'named', port: '80' }
    const port = backends[0]?.port ?? 0
    const delta = {
      revision: 1_000,
      hosts: new Map([['n.test', host('n.test', 'named')]]),
      backends: new Map([['test/named/80', { ...named, endpoints: [{ address: 'localhost', port }] }]]),
      certificates: new Map(),
    }
    await proxy.proxy.publish(delta)
    expect(await statusOf('n.test')).toBe(200)
    const guarded = await new InProcess(1, { allowLoopbackEndpoints: false }).start()
    try {
      await guarded.proxy.publish(delta)
      const client = await guarded.client()
      client.get('n.test')
      expect((await client.response()).status).toBe(502)
    } finally {
      await guarded.close()
    }
  })
})

describe('what the table says', () => {
  test('is 404 for hosts that nobody serves, with a small body, and the end of the connection', async () => {
    const client = await proxy.client()
    client.get('nobody.test')
    const response = await client.response()
    expect(response.status).toBe(404)
    expect(response.body).toBe('404 Not Found\n')
    expect(response.headers.get('connection')).toEqual(['close'])
    await client.untilClosed()
  })

  test('is 404 for paths without a route, and the connection goes on', async () => {
    const elsewhere = host('b.test', 'app')
    await proxy.publish({
      hosts: { 'b.test': { ...elsewhere, routes: elsewhere.routes.map(route => ({ ...route, path: '/shop' })) } },
    })
    const client = await proxy.client()
    client.get('b.test', '/other')
    expect((await client.response()).status).toBe(404)
    client.get('b.test', '/shop')
    expect((await client.response()).status).toBe(200)
  })

  test('is 200 for /healthz of no host, and 404 of a host that has routes elsewhere', async () => {
    const elsewhere = host('b.test', 'app')
    await proxy.publish({
      hosts: { 'b.test': { ...elsewhere, routes: elsewhere.routes.map(route => ({ ...route, path: '/shop' })) } },
    })
    expect(await statusOf('10.0.0.1', '/healthz')).toBe(200)
    expect(await statusOf('b.test', '/healthz')).toBe(404)
    expect(await statusOf('10.0.0.1', '/other')).toBe(404)
  })

  test('is forgotten when a host is removed', async () => {
    await proxy.publish({ hosts: { 'a.test': undefined } })
    expect(await statusOf('a.test')).toBe(404)
  })

  test('is a refusal before anything else, and its backend hears nothing', async () => {
    const refused = host('a.test', 'app', {
      tls: true,
      refusal: { status: 503, reason: 'AnnotationParsingFailed' },
      options: { denySourceRanges: ranges('127.0.0.0/8') },
    })
    await proxy.publish({ hosts: { 'a.test': refused } })
    expect(await statusOf('a.test')).toBe(503)
    expect(backends.flatMap(backend => backend.requests)).toEqual([])
  })

  test('is 403 for clients that are denied, or not allowed', async () => {
    await proxy.publish({
      hosts: {
        'denied.test': host('denied.test', 'app', { options: { denySourceRanges: ranges('127.0.0.0/8') } }),
        'allowed.test': host('allowed.test', 'app', { options: { allowSourceRanges: ranges('127.0.0.1') } }),
        'others.test': host('others.test', 'app', { options: { allowSourceRanges: ranges('192.0.2.0/24') } }),
      },
    })
    expect(await statusOf('denied.test')).toBe(403)
    expect(await statusOf('allowed.test')).toBe(200)
    expect(await statusOf('others.test')).toBe(403)
  })

  test.skipIf(!hasIpv6)('judges an IPv4 client of a dual-stack listener by its IPv4 address', async () => {
    const dual = await new InProcess(1, { address: '::' }).start({
      hosts: { 'a.test': host('a.test', 'app', { options: { allowSourceRanges: ranges('127.0.0.0/8') } }) },
      backends: { app: portsOf(0) },
    })
    const client = await dual.client()
    client.get('a.test')
    expect((await client.response()).status).toBe(200)
    expect(backends[0]?.requests[0]?.headers.get('x-forwarded-for')).toEqual(['127.0.0.1'])
    client.destroy()
    await dual.close()
  })

  test('limits bodies: 413 to a declared length at once, and to chunks as they come', async () => {
    await proxy.publish({ hosts: { 'a.test': host('a.test', 'app', { options: { maxBodyBytes: 4 } }) } })
    const declared = await proxy.client()
    declared.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n')
    expect((await declared.response()).status).toBe(413)
    await declared.untilClosed()
    const chunked = await proxy.client()
    chunked.send('POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n')
    expect((await chunked.response()).status).toBe(413)
    await chunked.untilClosed()
    const exact = await proxy.client()
    exact.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\nabcd')
    expect((await exact.response()).status).toBe(200)
    expect(backends.flatMap(backend => backend.requests)).toHaveLength(1)
  })
})

describe('plain HTTP on a host with TLS', () => {
  const secured = (options = {}) => ({ 's.test': host('s.test', 'app', { tls: true, options }) })

  async function locationOf(target: string, authority = 's.test'): Promise<string | undefined> {
    const client = await proxy.client()
    client.get(authority, target)
    const response = await client.response()
    expect(response.status).toBe(308)
    return response.headers.get('location')?.[0]
  }

  test('is redirected to the same target without the port, and without one slash at its end', async () => {
    await proxy.publish({ hosts: secured() })
    expect(await locationOf('/a?b=c')).toBe('https://s.test/a?b=c')
    expect(await locationOf('/')).toBe('https://s.test')
    expect(await locationOf('/foo/')).toBe('https://s.test/foo')
    expect(await locationOf('/?a=b', 's.test:8080')).toBe('https://s.test/?a=b')
  })

  test('keeps the slash, or is not redirected, where the route says so', async () => {
    await proxy.publish({ hosts: secured({ preserveTrailingSlash: true }) })
    expect(await locationOf('/foo/')).toBe('https://s.test/foo/')
    await proxy.publish({ hosts: secured({ tlsRedirect: false }) })
    expect(await statusOf('s.test')).toBe(200)
  })

  test('follows settings that change, without a change of the host', async () => {
    await proxy.publish({ hosts: secured() })
    expect(await statusOf('s.test')).toBe(308)
    await proxy.publish({ settings: { redirectStatus: 301 } })
    expect(await statusOf('s.test')).toBe(301)
    await proxy.publish({ settings: { tlsRedirect: false } })
    expect(await statusOf('s.test')).toBe(200)
  })

  test('is served for ACME challenges only', async () => {
    await proxy.publish({ hosts: secured() })
    expect(await statusOf('s.test', '/.well-known/acme-challenge/token')).toBe(200)
    expect(await statusOf('s.test', '/.well-known/acme-challenges')).toBe(308)
  })

  test('is 503 where the certificate cannot be used and the redirect is forbidden', async () => {
    await proxy.publish({ hosts: secured({ clearTextRefusal: true }) })
    expect(await statusOf('s.test')).toBe(503)
  })
})

test('the list of held backends shows each change', async () => {
  await proxy.publish({ backends: { app: portsOf(0) } })
  const [app, fallback] = await proxy.proxy.backends()
  expect(app).toMatchObject({
    name: 'test-app-80',
    port: '80',
    endpoints: [{ address: '127.0.0.1', port: String(backends[0]?.port) }],
    'load-balance': 'round_robin',
  })
  expect(fallback?.name).toBe('upstream-default-backend')
  await proxy.publish({ backends: { app: undefined } })
  expect((await proxy.proxy.backends()).map(backend => backend.name)).toEqual(['upstream-default-backend'])
})

function ranges(...texts: string[]) {
  return texts.map(parseSourceRange).filter(range => range !== undefined)
}
