import { beforeEach, expect, test } from 'vitest'
import { AvoidedEndpoints, type Judged, PassiveHealth } from '../../src/proxy/passive-health.ts'
import { WorkerCounters } from '../../src/proxy/worker-counters.ts'

let clock: { nowMs: number }
let counters: WorkerCounters
let health: PassiveHealth
let endpoints: readonly Judged[]
let avoided: AvoidedEndpoints

beforeEach(() => {
  clock = { nowMs: 1_000 }
  counters = new WorkerCounters()
  health = new PassiveHealth(clock, counters)
  endpoints = Array.from({ length: 5 }, () => ({ health: undefined }))
  avoided = new AvoidedEndpoints()
})

function at(index: number): Judged {
  const endpoint = endpoints[index]
  if (endpoint === undefined) throw new Error(`there is no endpoint ${index}`)
  return endpoint
}

function breaks(index: number, times = 1): void {
  for (let time = 0; time < times; time++) health.failed(at(index), 'upstream_read_timeout')
}

/** Indexes of the endpoints that are avoided now. */
function out(): number[] {
  health.look(endpoints, avoided)
  const found = endpoints.map((endpoint, index) => (health.isAvoided(endpoint, avoided) ? index : -1))
  const indexes = found.filter(index => index >= 0)
  expect(health.anyEjected || indexes.length === 0).toBe(true)
  return indexes
}

/** Milliseconds until the endpoint is let through, which it then is. */
function ejectionOf(index: number): number {
  const from = clock.nowMs
  while (out().includes(index)) clock.nowMs += 100
  health.chosen(at(index))
  return clock.nowMs - from
}

test('an endpoint that takes no connection is avoided at once', () => {
  health.failed(at(2), 'connect_failed')
  expect(out()).toEqual([2])
  expect(WorkerCounters.sum([counters])).toMatchObject({ endpointsEjected: 1, endpointEjections: 1 })
})

test('one that breaks is avoided after five in a row, and a response in between begins anew', () => {
  breaks(1, 4)
  health.forget(at(1))
  breaks(1, 4)
  expect(out()).toEqual([])
  breaks(1)
  expect(out()).toEqual([1])
})

test('each time is twice as long as the one before, up to half a minute', () => {
  health.failed(at(0), 'connect_timeout')
  const times = Array.from({ length: 7 }, () => {
    const time = ejectionOf(0)
    health.failed(at(0), 'connect_timeout')
    return time
  })
  expect(times).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
})

test('one request finds out for the others, and a failed one is enough to go on avoiding', () => {
  breaks(3, 5)
  ejectionOf(3)
  expect(out()).toEqual([3])
  breaks(3)
  expect(ejectionOf(3)).toBe(2_000)
  health.forget(at(3))
  expect(out()).toEqual([])
  expect(WorkerCounters.sum([counters])).toMatchObject({ endpointsEjected: 0, endpointEjections: 2 })
})

test('failures of requests that were under way together count once', () => {
  breaks(0, 50)
  expect(WorkerCounters.sum([counters]).endpointEjections).toBe(1)
  expect(ejectionOf(0)).toBe(1_000)
})

test('where more than half are ejected for what they answer, all of them are asked', () => {
  breaks(0, 5)
  breaks(1, 5)
  expect(out()).toEqual([0, 1])
  breaks(2, 5)
  expect(out()).toEqual([])
})

test('those that take no connection are avoided however many they are', () => {
  for (const index of [0, 1, 2, 3]) health.failed(at(index), 'connect_failed')
  expect(out()).toEqual([0, 1, 2, 3])
})

test('when all is over nobody needs to be looked at', () => {
  health.failed(at(0), 'connect_failed')
  clock.nowMs += 1_000
  expect(health.anyEjected).toBe(false)
})
