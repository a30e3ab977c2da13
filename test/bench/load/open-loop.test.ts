import { expect, test } from 'vitest'
import { CountingServer, cut, type Reply, reply } from './counting-server.ts'
import { type OpenLoopResult, runOpenLoop } from './open-loop.ts'

const total = 200
const quiet = { status: 0, wrongAnswer: 0, reset: 0, unanswered: 0, unsent: 0 }

/** 200 requests that count after 50 that do not. */
async function run(how?: Reply): Promise<{ readonly result: OpenLoopResult; readonly requests: number }> {
  await using server = await CountingServer.start(how)
  const options = {
    port: server.port,
    host: 'bench.example',
    path: '/echo',
    requestsPerSecond: 1000,
    connections: 8,
    graceMs: 1000,
  }
  const result = await runOpenLoop({ ...options, warmupSeconds: 0.05, seconds: 0.2 })
  await expect.poll(() => server.openConnections).toBe(0)
  return { result, requests: server.requests }
}

test('as many requests are sent and answered as the schedule has', async () => {
  const { result, requests } = await run()
  expect(requests).toBe(total + 50)
  expect(result.answered).toBe(total)
  expect(result.failures).toEqual(quiet)
  expect(result.latencyUs.p50).toBeGreaterThan(0)
  expect(result.latencyUs.p50).toBeLessThanOrEqual(result.latencyUs.p99)
  expect(result.latencyUs.p99).toBeLessThanOrEqual(result.latencyUs.max)
})

test('a request that is never answered holds up nobody else and is counted', async () => {
  const { result } = await run((id, count) => (count === 120 ? undefined : reply(id)))
  expect(result.failures).toEqual({ ...quiet, unanswered: 1 })
  expect(result.answered).toBe(total - 1)
  // It was waited for, so it is the slowest.
  expect(result.latencyUs.max).toBeGreaterThan(900_000)
})

test.each([
  ['an error status', 'status', (id: string) => reply(id).replace('200 OK', '503 Busy')],
  ['an answer that belongs to another request', 'wrongAnswer', () => reply('000000000000')],
  ['a connection that is cut', 'reset', (): typeof cut => cut],
] as const)('%s is counted as %s, and the connection is replaced', async (_what, failure, bad) => {
  const { result, requests } = await run((id, count) => (count >= 100 && count < 110 ? bad(id) : reply(id)))
  expect(result.failures).toEqual({ ...quiet, [failure]: 10 })
  expect(result.answered).toBe(total - 10)
  expect(requests).toBe(total + 50)
})

test('latency counts from when a request was due: one that waits behind a slow one is slow', async () => {
  await using server = await CountingServer.start()
  // All are due within a millisecond and take turns on one connection, so each is later than the one before.
  const options = {
    port: server.port,
    host: 'bench.example',
    path: '/echo',
    requestsPerSecond: 1e6,
    connections: 1,
    graceMs: 20_000,
  }
  const result = await runOpenLoop({ ...options, warmupSeconds: 0, seconds: 0.001 })
  expect(result.answered).toBe(1000)
  expect(result.latencyUs.p99).toBeGreaterThanOrEqual(result.sendDelayP99Us * 0.98)
})
