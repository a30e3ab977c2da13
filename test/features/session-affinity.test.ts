import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RouteOptions } from '../../src/routing/annotations.ts'
import type { Host } from '../../src/routing/model.ts'
import { backendId, host, InProcess } from '../proxy/in-process.ts'
import { ok, RawBackend } from '../proxy/raw-backend.ts'
import { RawClient, type ReceivedResponse } from '../proxy/raw-client.ts'

const podCount = 5
const sticky: RouteOptions = { affinity: 'cookie' }

let pods: RawBackend[]
let proxy: InProcess
let other: InProcess

beforeAll(async () => {
  proxy = await new InProcess(2).start()
  other = await new InProcess(1).start()
})

afterAll(async () => {
  await Promise.all([proxy.close(), other.close()])
})

beforeEach(async () => {
  pods = await Promise.all(Array.from({ length: podCount }, (_, index) => startPod(String(index))))
  const table = { hosts: { 'a.test': host('a.test', 'app', { options: sticky }) }, backends: { app: everyPort() } }
  await Promise.all([proxy.publish(table), other.publish(table)])
})

afterEach(async () => {
  await Promise.all(pods.map(pod => pod.close()))
})

async function startPod(name: string): Promise<RawBackend> {
  const pod = await new RawBackend().start()
  pod.answer = (_, connection) => connection.send(ok(name))
  return pod
}

const portsOf = (...indexes: readonly number[]): number[] => indexes.map(index => pods[index]?.port ?? 0)
const everyPort = (): number[] => pods.map(({ port }) => port)

/** A request on a connection of its own, so that any worker may get it. */
async function ask(cookie = '', to = proxy): Promise<ReceivedResponse> {
  const client = await RawClient.connect(to.httpPort)
  client.get('a.test', '/', cookie === '' ? '' : `Cookie: ${cookie}\r\n`)
  const response = await client.response()
  client.destroy()
  return response
}

function setCookies({ headers }: ReceivedResponse): readonly string[] {
  return headers.get('set-cookie') ?? []
}

/** `NAME=value` of the one cookie that it sets. */
function cookieOf(response: ReceivedResponse): string {
  const [cookie = '', ...more] = setCookies(response)
  expect(more).toEqual([])
  expect(cookie).toMatch(/^[\w-]+=[\w-]{16}; /)
  return cookie.slice(0, cookie.indexOf(';'))
}

describe('a client with a session', () => {
  test('gets a cookie once, and reaches the same pod by every worker', async () => {
    const first = await ask()
    const cookie = cookieOf(first)
    expect(setCookies(first)).toEqual([`${cookie}; Path=/; HttpOnly`])
    for (let request = 0; request < 50; request++) {
      const response = await ask(`theme=dark; ${cookie}`)
      expect(response.body).toBe(first.body)
      expect(setCookies(response)).toEqual([])
    }
  })

  test('reaches the same pod by another proxy', async () => {
    for (let client = 0; client < 10; client++) {
      const first = await ask()
      const response = await ask(cookieOf(first), other)
      expect(response.body).toBe(first.body)
      expect(setCookies(response)).toEqual([])
    }
  })

  test('reaches the same pod by a proxy of another zone', async () => {
    for (let client = 0; client < 10; client++) {
      await other.publish({ backends: { app: everyPort() }, near: { app: [0, 1] } })
      const first = await ask('', other)
      expect(['0', '1']).toContain(first.body)
      await other.publish({ backends: { app: everyPort() }, near: { app: [2, 3] } })
      const response = await ask(cookieOf(first), other)
      expect(response.body).toBe(first.body)
      expect(setCookies(response)).toEqual([])
    }
  })

  test('stays where it is when pods come', async () => {
    await proxy.publish({ backends: { app: portsOf(0, 1) } })
    const sessions = await Promise.all(Array.from({ length: 10 }, () => ask()))
    await proxy.publish({ backends: { app: everyPort() } })
    for (const first of sessions) expect((await ask(cookieOf(first))).body).toBe(first.body)
  })

  test('moves once when its pod goes, with all that it asks at that moment', async () => {
    const first = await ask()
    const cookie = cookieOf(first)
    const left = everyPort().filter((_, index) => String(index) !== first.body)
    await proxy.publish({ backends: { app: left } })
    const moved = await Promise.all(Array.from({ length: 20 }, () => ask(cookie)))
    expect(new Set(moved.map(({ body }) => body)).size).toBe(1)
    expect(moved[0]?.body).not.toBe(first.body)
    const [next = ''] = new Set(moved.map(cookieOf))
    const again = await ask(next)
    expect(again.body).toBe(moved[0]?.body)
    expect(setCookies(again)).toEqual([])
  })

  test('spreads over the pods that are left with other clients of the pod that went', async () => {
    const sessions = await Promise.all(Array.from({ length: 60 }, () => ask()))
    await proxy.publish({ backends: { app: portsOf(1, 2) } })
    const moved = await Promise.all(sessions.map(async first => ask(cookieOf(first))))
    expect(new Set(moved.map(({ body }) => body))).toEqual(new Set(['1', '2']))
  })

  test('gets 503 without pods, and another pod when there are new ones', async () => {
    const first = await ask()
    await proxy.publish({ backends: { app: [] } })
    const without = await ask(cookieOf(first))
    expect(without.status).toBe(503)
    expect(setCookies(without)).toEqual([])
    await proxy.publish({ backends: { app: everyPort().filter((_, index) => String(index) !== first.body) } })
    const again = await ask(cookieOf(first))
    expect(again.status).toBe(200)
    expect(cookieOf(again)).not.toBe(cookieOf(first))
  })
})

describe('a cookie that names no pod', () => {
  test.each(['', 'x', 'AAAAAAAAAAAAAAAA', '1769.11|f00', '"quoted"', 'a'.repeat(4000)])(
    '%s is replaced',
    async value => {
      expect(cookieOf(await ask(`INGRESSCOOKIE=${value}`))).not.toBe(`INGRESSCOOKIE=${value}`)
    },
  )

  test('of another Service is replaced', async () => {
    await proxy.publish({
      hosts: { 'a.test': host('a.test', 'other', { options: sticky }) },
      backends: { other: everyPort() },
    })
    const foreign = cookieOf(await ask())
    await proxy.publish({ hosts: { 'a.test': host('a.test', 'app', { options: sticky }) } })
    expect(cookieOf(await ask(foreign))).not.toBe(foreign)
  })

  test('does not hide one of the same name that does', async () => {
    const first = await ask()
    const response = await ask(`INGRESSCOOKIE=stale; ${cookieOf(first)}; INGRESSCOOKIE=older`)
    expect(response.body).toBe(first.body)
    expect(setCookies(response)).toEqual([])
  })
})

describe('a session whose pod fails', () => {
  async function failPodOf(body: string): Promise<void> {
    await pods[Number(body)]?.close()
  }

  test('waits for it: the client gets 502 and keeps its pod', async () => {
    const first = await ask()
    await failPodOf(first.body)
    const response = await ask(cookieOf(first))
    expect(response.status).toBe(502)
    expect(setCookies(response)).toEqual([])
  })

  test('moves with change-on-failure, and does not come back', async () => {
    const options: RouteOptions = { ...sticky, sessionCookieChangeOnFailure: true }
    await proxy.publish({ hosts: { 'a.test': host('a.test', 'app', { options }) } })
    const first = await ask()
    await failPodOf(first.body)
    const moved = await ask(cookieOf(first))
    expect(moved.status).toBe(200)
    const again = await ask(cookieOf(moved))
    expect(again.body).toBe(moved.body)
    expect(setCookies(again)).toEqual([])
  })

  test('of a client without a cookie goes to a pod that answers, at once', async () => {
    await proxy.publish({ backends: { app: [...portsOf(0, 1)] } })
    await pods[0]?.close()
    for (let client = 0; client < 6; client++) expect((await ask()).body).toBe('1')
  })
})

describe('the cookie', () => {
  async function cookieWith(options: RouteOptions, fields = ''): Promise<string> {
    await proxy.publish({ hosts: { 'a.test': host('a.test', 'app', { options: { ...sticky, ...options } }) } })
    const client = await RawClient.connect(proxy.httpPort)
    client.get('a.test', '/', fields)
    const [cookie = ''] = setCookies(await client.response())
    client.destroy()
    return cookie.replace(/=[\w-]{16};/, '=TOKEN;')
  }

  test('has the attributes that were asked for', async () => {
    const options: RouteOptions = {
      sessionCookieName: 'SERVERID',
      sessionCookieMaxAge: 259_200,
      sessionCookieDomain: 'foo.bar',
      sessionCookiePath: '/some where',
      sessionCookieSecure: true,
      sessionCookieSameSite: 'Lax',
      sessionCookiePartitioned: true,
    }
    expect(await cookieWith(options)).toBe(
      'SERVERID=TOKEN; Max-Age=259200; Domain=foo.bar; Path=/some where; Secure; HttpOnly; SameSite=Lax; Partitioned',
    )
  })

  test('expires so long after it was set, in the form with dashes and a year of two digits', async () => {
    const before = Date.now()
    const [, expires = '', attributes] =
      /; Expires=(\w{3}, \d{2}-\w{3}-\d{2} \d{2}:\d{2}:\d{2} GMT)(.*)/.exec(
        await cookieWith({ sessionCookieExpires: 172_800 }),
      ) ?? []
    expect(attributes).toBe('; Path=/; HttpOnly')
    const expiresMs = Date.parse(expires.replace(/(\w{3})-(\d{2}) /, '$1-20$2 '))
    expect(expiresMs).toBeGreaterThan(before + 172_800_000 - 2000)
    expect(expiresMs).toBeLessThan(Date.now() + 172_800_000 + 1000)
  })

  test('has Path / where the path of the Ingress would break out of it', async () => {
    const [route] = host('a.test', 'app', { options: sticky }).routes
    if (route === undefined) throw new Error('the host has one route')
    const odd: Host = { ...host('a.test', 'app'), routes: [{ ...route, path: '/a;Domain=evil.test' }] }
    await proxy.publish({ hosts: { 'a.test': odd } })
    const client = await RawClient.connect(proxy.httpPort)
    client.get('a.test', '/a;Domain=evil.test')
    expect(setCookies(await client.response())).toEqual([expect.stringMatching(/=[\w-]{16}; Path=\/; HttpOnly$/)])
    client.destroy()
  })

  test('has SameSite=None but for browsers that misread it, where that was asked for', async () => {
    const chrome = (version: string): string =>
      `User-Agent: Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version} Safari/537.36\r\n`
    const apple = (system: string): string =>
      `User-Agent: Mozilla/5.0 (${system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1 Safari/605.1.15\r\n`
    const conditional: RouteOptions = {
      sessionCookieSameSite: 'None',
      sessionCookieConditionalSameSiteNone: true,
    }
    expect(await cookieWith(conditional, chrome('120.0.0.0'))).toMatch(/; SameSite=None$/)
    expect(await cookieWith(conditional)).toMatch(/; SameSite=None$/)
    expect(await cookieWith(conditional, chrome('60.0.3112.113'))).not.toContain('SameSite')
    expect(await cookieWith(conditional, apple('iPhone; CPU iPhone OS 12_2 like Mac OS X'))).not.toContain('SameSite')
    expect(await cookieWith(conditional, apple('Macintosh; Intel Mac OS X 10_14_6'))).not.toContain('SameSite')
    expect(await cookieWith(conditional, apple('Macintosh; Intel Mac OS X 10_15_7'))).toMatch(/; SameSite=None$/)
    expect(await cookieWith({ sessionCookieSameSite: 'None' }, chrome('60.0.3112.113'))).toMatch(/; SameSite=None$/)
  })

  test('comes with the answer that opens a WebSocket', async () => {
    await proxy.publish({ backends: { app: portsOf(0) } })
    const [pod] = pods
    if (pod === undefined) throw new Error('there are pods')
    pod.answer = (_, connection) =>
      connection.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    const client = await RawClient.connect(proxy.httpPort)
    client.get('a.test', '/', 'Upgrade: websocket\r\nConnection: Upgrade\r\n')
    const response = await client.response()
    expect(response.status).toBe(101)
    expect(cookieOf(response)).toMatch(/^INGRESSCOOKIE=/)
    client.destroy()
  })

  test('is not set for a route of the same Service that does not ask for it', async () => {
    await proxy.publish({ hosts: { 'a.test': host('a.test', 'app') } })
    expect(setCookies(await ask())).toEqual([])
  })
})

test('the list of held backends shows the affinity and where it holds', async () => {
  const options: RouteOptions = { ...sticky, affinityMode: 'persistent', sessionCookieName: 'S', loadBalance: 'ewma' }
  await proxy.publish({ hosts: { 'a.test': host('a.test', 'app', { options }) } })
  const [held] = await proxy.proxy.backends()
  expect(held).toMatchObject({
    name: backendId('app').replaceAll('/', '-'),
    'load-balance': 'ewma',
    sessionAffinityConfig: {
      name: 'cookie',
      mode: 'persistent',
      cookieSessionAffinity: { name: 'S', locations: { 'a.test': ['/'] } },
    },
  })
})
