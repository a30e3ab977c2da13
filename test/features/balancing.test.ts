import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RouteOptions } from '../../src/routing/annotations.ts'
import { readHashExpression } from '../../src/routing/hash-expression.ts'
import { host, InProcess, turn } from '../proxy/in-process.ts'
import { type BackendConnection, ok, RawBackend } from '../proxy/raw-backend.ts'
import { RawClient } from '../proxy/raw-client.ts'

let pods: RawBackend[]
let proxy: InProcess
let other: InProcess

beforeAll(async () => {
  proxy = await new InProcess(1).start()
  other = await new InProcess(2).start()
})

afterAll(async () => {
  await Promise.all([proxy.close(), other.close()])
})

beforeEach(async () => {
  pods = await Promise.all(Array.from({ length: 6 }, async () => new RawBackend().start()))
  for (const [index, pod] of pods.entries()) pod.answer = (_, connection) => connection.send(ok(String(index)))
})

afterEach(async () => {
  await Promise.all(pods.map(pod => pod.close()))
})

async function use(options: RouteOptions, count = pods.length): Promise<void> {
  const ports = pods.slice(0, count).map(({ port }) => port)
  const table = { hosts: { 'a.test': host('a.test', 'app', { options }) }, backends: { app: ports } }
  await Promise.all([proxy.publish(table), other.publish(table)])
}

function hashBy(text: string, more: RouteOptions = {}): RouteOptions {
  const upstreamHashBy = readHashExpression(text)
  if (upstreamHashBy === undefined) throw new Error(`${text} is no expression`)
  return { upstreamHashBy, ...more }
}

interface Question {
  readonly target?: string
  readonly fields?: string
  readonly to?: InProcess
}

/** Which pod answers, on a connection of its own. */
async function ask({ target = '/', fields = '', to = proxy }: Question = {}): Promise<string> {
  const client = await RawClient.connect(to.httpPort)
  client.get('a.test', target, fields)
  const { body } = await client.response()
  client.destroy()
  return body
}

async function askEach(questions: readonly Question[]): Promise<readonly string[]> {
  const answers: string[] = []
  for (const question of questions) answers.push(await ask(question))
  return answers
}

function times<Item>(count: number, make: (index: number) => Item): readonly Item[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

describe('upstream-hash-by', () => {
  test.each([
    ['$request_uri', (index: number): Question => ({ target: `/?item=${index}` })],
    ['$uri', (index: number): Question => ({ target: `/${index}` })],
    ['$http_x_user', (index: number): Question => ({ fields: `X-Other: 1\r\nX-USER:  ${index} \r\n` })],
    ['${cookie_user}-v1', (index: number): Question => ({ fields: `Cookie: a=1; user=${index}\r\n` })],
  ])('%s: one value, one pod, in every worker and replica; other values, other pods', async (expression, make) => {
    await use(hashBy(expression))
    const questions = times(20, make)
    const first = await askEach(questions)
    expect(new Set(first).size).toBeGreaterThan(2)
    expect(await askEach(questions)).toEqual(first)
    expect(await askEach(questions.map(question => ({ ...question, to: other })))).toEqual(first)
  })

  test.each([['$remote_addr'], ['$host']])('%s: all requests of this client go to one pod', async expression => {
    await use(hashBy(expression))
    const answers = await askEach(times(20, index => ({ target: `/${index}`, to: index % 2 === 0 ? proxy : other })))
    expect(new Set(answers).size).toBe(1)
  })

  test('$uri does not look at the query', async () => {
    await use(hashBy('$uri'))
    expect(new Set(await askEach(times(20, index => ({ target: `/a?${index}` })))).size).toBe(1)
  })

  test('moves only the values of a pod that goes', async () => {
    await use(hashBy('$request_uri'))
    const questions = times(40, index => ({ target: `/${index}` }))
    const before = await askEach(questions)
    const [gone] = before
    const left = pods.filter((_, index) => String(index) !== gone)
    await proxy.publish({ backends: { app: left.map(({ port }) => port) } })
    const after = await askEach(questions)
    expect(after).not.toContain(gone)
    expect(after).toEqual(before.map((pod, index) => (pod === gone ? after[index] : pod)))
  })

  test('leads to another pod when the one of the value is dead', async () => {
    await use(hashBy('$request_uri'))
    const dead = await ask({ target: '/a' })
    await pods[Number(dead)]?.close()
    const answers = new Set(await askEach(times(5, () => ({ target: '/a' }))))
    expect(answers.size).toBe(1)
    expect(answers.has(dead)).toBe(false)
  })

  test('spreads requests that lack what is hashed', async () => {
    await use(hashBy('$http_x_user'))
    expect(new Set(await askEach(times(6, () => ({})))).size).toBe(6)
  })

  test('with a subset of 3, one value leads to exactly 3 of 6 pods', async () => {
    await use(hashBy('$request_uri', { upstreamHashBySubset: true, upstreamHashBySubsetSize: 3 }))
    expect(new Set(await askEach(times(100, () => ({})))).size).toBe(3)
  })

  test('wins over load-balance', async () => {
    await use(hashBy('$request_uri', { loadBalance: 'round_robin' }))
    expect(new Set(await askEach(times(12, () => ({})))).size).toBe(1)
  })
})

describe('load-balance', () => {
  test('of the route wins over that of the settings, which change at once', async () => {
    await use({})
    await proxy.publish({ settings: { loadBalance: { algorithm: 'consistent_hash', slowStartMs: 0 } } })
    expect(new Set(await askEach(times(12, () => ({})))).size).toBe(1)
    await use({ loadBalance: 'round_robin' })
    expect(new Set(await askEach(times(12, () => ({})))).size).toBe(6)
    await use({})
    await proxy.publish({ settings: {} })
    expect(new Set(await askEach(times(12, () => ({})))).size).toBe(6)
  })

  test('least_requests gives nothing more to a pod that does not answer', async () => {
    const [slow] = pods
    if (slow === undefined) throw new Error('there are pods')
    slow.answer = () => {}
    await use({ loadBalance: 'least_requests' }, 2)
    const clients = await Promise.all(times(20, () => RawClient.connect(proxy.httpPort)))
    for (const client of clients) {
      const before = slow.requests.length
      client.get('a.test')
      while (client.receivedBytes === 0 && slow.requests.length === before) await turn()
    }
    expect(slow.requests.length).toBeLessThan(2)
    expect(clients.filter(client => client.receivedBytes > 0).length).toBeGreaterThan(18)
    for (const client of clients) client.destroy()
    await proxy.until(stats => stats.requestsInFlight === 0)
    slow.answer = (_, connection) => connection.send(ok('0'))
    expect(new Set(await askEach(times(20, () => ({})))).size).toBe(2)
  })

  test('ewma avoids a pod that was slow', async () => {
    const [slow] = pods
    if (slow === undefined) throw new Error('there are pods')
    const waiting: BackendConnection[] = []
    slow.answer = (_, connection) => waiting.push(connection)
    await use({ loadBalance: 'ewma' }, 2)
    // Two at once go to both pods: the second one sees that the first one is in flight.
    const clients = await Promise.all(times(2, () => RawClient.connect(proxy.httpPort)))
    for (const client of clients) client.get('a.test')
    const responses = clients.map(client => client.response())
    await Promise.any(responses)
    while (waiting.length === 0) await turn()
    await new Promise(resolve => {
      setTimeout(resolve, 1000)
    })
    slow.answer = (_, connection) => connection.send(ok('0'))
    waiting[0]?.send(ok('0'))
    await Promise.all(responses)
    expect((await askEach(times(30, () => ({})))).filter(pod => pod === '0').length).toBeLessThan(5)
    for (const client of clients) client.destroy()
  })

  test('consistent_hash is of the address of the client', async () => {
    await use({ loadBalance: 'consistent_hash' })
    const answers = await askEach(times(20, index => ({ target: `/${index}`, to: index % 2 === 0 ? proxy : other })))
    expect(new Set(answers).size).toBe(1)
  })
})

describe('the zone of the proxy', () => {
  const useNear = async (options: RouteOptions): Promise<void> => {
    await use(options)
    await proxy.publish({ backends: { app: pods.map(({ port }) => port) }, near: { app: [1, 4] } })
  }

  test.each(['round_robin', 'least_requests', 'ewma'] as const)('comes first with %s', async loadBalance => {
    await useNear({ loadBalance })
    expect(new Set(await askEach(times(40, () => ({}))))).toEqual(new Set(['1', '4']))
  })

  test('is left when nobody in it takes a connection', async () => {
    await useNear({})
    await Promise.all([pods[1]?.close(), pods[4]?.close()])
    const answers = await askEach(times(12, () => ({})))
    expect(new Set(answers)).toEqual(new Set(['0', '2', '3', '5']))
  })

  test('does not count for what is hashed: another zone must come to the same pod', async () => {
    await useNear(hashBy('$request_uri'))
    const questions = times(20, index => ({ target: `/${index}` }))
    expect(await askEach(questions)).toEqual(await askEach(questions.map(question => ({ ...question, to: other }))))
  })
})

describe('slow start', () => {
  const shareOfLast = async (): Promise<number> =>
    (await askEach(times(120, () => ({})))).filter(pod => pod === '2').length / 120

  test('gives a pod that joins others a small share, and its full one without slow start', async () => {
    await proxy.publish({
      settings: { loadBalance: { algorithm: 'round_robin', slowStartMs: 3_600_000 } },
      backends: { app: undefined },
    })
    await use({}, 2)
    await askEach(times(10, () => ({})))
    await use({}, 3)
    expect(await shareOfLast()).toBeLessThan(0.15)
    await proxy.publish({ settings: {} })
    expect(await shareOfLast()).toBeCloseTo(1 / 3)
  })

  test('does not concern the first pods of a Service', async () => {
    await proxy.publish({
      settings: { loadBalance: { algorithm: 'round_robin', slowStartMs: 3_600_000 } },
      backends: { app: undefined },
    })
    await use({}, 3)
    expect(await shareOfLast()).toBeCloseTo(1 / 3)
    await proxy.publish({ settings: {} })
  })
})

test('the list of held backends shows what chooses the endpoint', async () => {
  await use(hashBy('${cookie_user}-v1', { upstreamHashBySubset: true, upstreamHashBySubsetSize: 2 }))
  await proxy.publish({ settings: { loadBalance: { algorithm: 'least_requests', slowStartMs: 0 } } })
  const [held] = await proxy.proxy.backends()
  expect(held).toMatchObject({
    'load-balance': 'least_requests',
    upstreamHashByConfig: {
      'upstream-hash-by': '${cookie_user}-v1',
      'upstream-hash-by-subset': true,
      'upstream-hash-by-subset-size': 2,
    },
  })
})
