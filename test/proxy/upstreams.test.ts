import { expect, test } from 'vitest'
import type { ProxySettings } from '../../src/api/settings.ts'
import { RandomNumbers } from '../../src/proxy/balancers/random-numbers.ts'
import { CoarseClock } from '../../src/proxy/coarse-clock.ts'
import { ReadBuffers } from '../../src/proxy/read-buffers.ts'
import { type BalancedRequest, bindBalancing } from '../../src/proxy/route-balancing.ts'
import { Upstreams } from '../../src/proxy/upstreams.ts'
import { WorkerCounters } from '../../src/proxy/worker-counters.ts'
import { defaultSettings } from '../../src/routing/default-settings.ts'
import type { Backend } from '../../src/routing/model.ts'
import { packBackend, reviveBackends } from '../../src/routing/packed-backend.ts'
import { host } from './in-process.ts'

const seconds = 1000
const slowStartMs = 60 * seconds

/** What the balancer of a route without annotations looks at. */
const request = { tried: undefined } as BalancedRequest

/** The upstreams of one worker, the clock in the hand of the test. */
class Worker {
  nowMs = 1_000_000
  readonly #clock = new CoarseClock({ monotonicMs: () => this.nowMs, wallMs: () => 0 })
  readonly #settings: ProxySettings = { ...defaultSettings, loadBalance: { algorithm: 'round_robin', slowStartMs } }
  readonly #upstreams = new Upstreams({
    clock: this.#clock,
    counters: new WorkerCounters(),
    transports: { buffers: new ReadBuffers(), internals: undefined },
    allowLoopbackEndpoints: false,
    seed: 0,
    random: new RandomNumbers(1),
    settings: this.#settings,
  })
  readonly #backends = new Map<string, Backend>()
  #revision = 0

  at(afterSeconds: number): this {
    this.nowMs = 1_000_000 + afterSeconds * seconds
    this.#clock.tick()
    return this
  }

  /** A delta as it comes from the control thread, packed: service → numbers of its endpoints. */
  apply(changes: Readonly<Record<string, readonly number[] | undefined>>, loadBalance?: { slowStartMs: number }): this {
    const packed = Object.entries(changes).map(([id, numbers]) => {
      return [id, numbers === undefined ? undefined : packBackend(backendOf(id, numbers))] as const
    })
    const backends = reviveBackends(structuredClone(new Map(packed)))
    for (const [id, backend] of backends) if (backend !== undefined) this.#backends.set(id, backend)
    const settings =
      loadBalance === undefined
        ? {}
        : { settings: { ...this.#settings, loadBalance: { algorithm: 'round_robin' as const, ...loadBalance } } }
    this.#upstreams.apply({
      revision: ++this.#revision,
      hosts: new Map(),
      certificates: new Map(),
      backends,
      ...settings,
    })
    return this
  }

  /** Share of each endpoint of a backend in many requests. */
  shares(id: string): readonly number[] {
    const backend = this.#backends.get(id)
    const [route] = host('a.test', id).routes
    if (backend === undefined || route === undefined) throw new Error(`there is no backend ${id}`)
    const counts = backend.endpoints.map(() => 0)
    const balancing = bindBalancing(route, this.#settings)
    for (let pick = 0; pick < 6000; pick++) {
      const index = this.#upstreams.choose(backend, balancing, request)
      counts[index] = (counts[index] ?? 0) + 1
    }
    return counts.map(count => count / 6000)
  }
}

function backendOf(id: string, numbers: readonly number[]): Backend {
  const endpoints = numbers.map(number => ({ address: `10.0.${number >> 8}.${number & 255}`, port: 8080 }))
  return { id, namespace: 'test', service: id, port: '80', endpoints }
}

const even = [expect.closeTo(1 / 3, 1), expect.closeTo(1 / 3, 1), expect.closeTo(1 / 3, 1)]
const lastIsCold = [expect.closeTo(0.48, 1), expect.closeTo(0.48, 1), expect.closeTo(0.04, 1.3)]

test.each(['used', 'unused'])('an endpoint that joins a backend starts slowly: the backend was %s before', use => {
  const worker = new Worker().apply({ app: [1, 2] })
  if (use === 'used') worker.shares('app')
  worker.at(100).apply({ app: [1, 2, 3] })
  expect(worker.at(101).shares('app')).toEqual(lastIsCold)
  expect(worker.at(130).shares('app')[2]).toBeCloseTo(0.2, 1)
  expect(worker.at(161).shares('app')).toEqual(even)
})

test('the slow start of an unused backend counts from when the endpoint joined, not from the first request', () => {
  const worker = new Worker()
    .apply({ app: [1, 2] })
    .at(100)
    .apply({ app: [1, 2, 3] })
  expect(worker.at(170).shares('app')).toEqual(even)
})

test('each endpoint counts from the change that brought it, through whatever changes follow', () => {
  const worker = new Worker().apply({ app: [1, 2] })
  worker.at(100).apply({ app: [1, 2, 3] })
  worker.at(150).apply({ app: [3, 2, 4] })
  worker.at(158).apply({ app: [2, 3, 4] })
  const [, third = 0, fourth = 0] = worker.at(159).shares('app')
  expect(third).toBeGreaterThan(0.35)
  expect(fourth).toBeLessThan(0.12)
})

test('an endpoint that left and came back starts again', () => {
  const worker = new Worker().apply({ app: [1, 2, 3] })
  worker.at(100).apply({ app: [1, 2] })
  worker.at(101).apply({ app: [1, 2, 3] })
  expect(worker.at(102).shares('app')).toEqual(lastIsCold)
})

test('the first endpoints of a backend have their full share, also when it was there without any', () => {
  const worker = new Worker().apply({ app: [1, 2, 3], late: [] })
  worker.at(10).apply({ late: [1, 2] })
  worker.at(20).apply({ late: [] })
  worker.at(30).apply({ late: [4, 5, 6] })
  expect(worker.at(31).shares('late')).toEqual(even)
  expect(worker.shares('app')).toEqual(even)
})

test('what joined is forgotten with the backend', () => {
  const worker = new Worker().apply({ app: [1, 2] })
  worker.at(10).apply({ app: [1, 2, 3] })
  worker.at(11).apply({ app: undefined })
  worker.at(12).apply({ app: [1, 2, 3] })
  expect(worker.at(13).shares('app')).toEqual(even)
})

test('without slow start nothing is remembered, and what was is forgotten when it is turned off', () => {
  const worker = new Worker().apply({ app: [1, 2], other: [1, 2] })
  worker.at(10).apply({ app: [1, 2, 3] })
  worker.at(11).apply({}, { slowStartMs: 0 })
  worker.at(12).apply({ other: [1, 2, 4] })
  worker.at(13).apply({}, { slowStartMs })
  expect(worker.at(14).shares('app')).toEqual(even)
  expect(worker.shares('other')).toEqual(even)
})

test('only so many are remembered: those that joined last', () => {
  const worker = new Worker()
  const names = Array.from({ length: 60 }, (_, index) => `app${index}`)
  const many = Array.from({ length: 1000 }, (_, index) => index + 10)
  worker.apply(Object.fromEntries([...names, 'first', 'last'].map(name => [name, [1, 2]])))
  worker.at(10).apply({ first: [1, 2, 3] })
  for (const name of names) worker.at(11).apply({ [name]: [1, 2, ...many] })
  worker.at(12).apply({ last: [1, 2, 5] })
  worker.at(13)
  expect(worker.shares('first')).toEqual(even)
  expect(worker.shares('last')).toEqual(lastIsCold)
})
