import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AttackPlan, isFull, type Outcome, printsFigures, Target } from './target.ts'

/** Megabytes of resident set. */
const maxGrowthMb = 50

let target: Target

beforeAll(async () => {
  target = await Target.start()
})

afterAll(async () => {
  await target[Symbol.asyncDispose]()
})

/** What every attack must leave: all honest clients served, bounded memory, nothing that died. */
async function withstand(plan: AttackPlan): Promise<Outcome> {
  const outcome = await target.attack(plan)
  const { attacked, quiet, counted, peakGrowthMb, growthMb, endedAfterMs } = outcome
  if (printsFigures) {
    const latencies = `p50 ${quiet.p50Ms.toFixed(2)} → ${attacked.p50Ms.toFixed(2)} ms, p99 ${quiet.p99Ms.toFixed(2)} → ${attacked.p99Ms.toFixed(2)} ms (${(attacked.p99Ms / quiet.p99Ms).toFixed(2)} ×)`
    const memory = `memory +${growthMb.toFixed(0)} MB, at most +${peakGrowthMb.toFixed(0)} MB`
    process.stdout.write(
      `${plan.attack} with ${plan.connections} connections: ${latencies}; ${memory}; gone after ${(endedAfterMs / 1000).toFixed(1)} s; honest ${JSON.stringify(attacked.outcomes)}\n`,
    )
  }
  expect(Object.keys(attacked.outcomes)).toEqual(['200'])
  expect(peakGrowthMb).toBeLessThan(maxGrowthMb)
  expect(counted.get('workers_lost_total')).toBe(0)
  expect(target.logged('error', 'fatal')).toEqual([])
  return outcome
}

/** Of the configured time, in a test that shares its processors; the coarse clock itself is two tenths late at most. */
const within = (seconds: number): number => seconds * 1000 + 10_000

const many = isFull ? 1_000 : 200
const floodMs = isFull ? 20_000 : 1_500

test('slowloris', async () => {
  const { counted, endedAfterMs } = await withstand({ attack: 'slowloris', connections: many })
  expect(counted.get('request_errors_total{code="request_timeout"}')).toBe(many)
  expect(endedAfterMs).toBeLessThan(within(isFull ? 10 : 2))
})

test('bodies a byte at a time', async () => {
  const { counted, endedAfterMs } = await withstand({ attack: 'slowBodies', connections: many })
  expect(counted.get('request_errors_total{code="request_timeout"}')).toBe(many)
  expect(endedAfterMs).toBeLessThan(within(isFull ? 10 : 2))
})

test('responses that are not read', async () => {
  const { counted, endedAfterMs } = await withstand({ attack: 'unreadResponses', connections: isFull ? 200 : 40 })
  expect(counted.get('request_errors_total{code="client_too_slow"}')).toBeGreaterThan(20)
  expect(endedAfterMs).toBeLessThan(within(isFull ? 60 : 1))
})

test('header floods', async () => {
  const { counted } = await withstand({ attack: 'headerFloods', connections: 20, durationMs: floodMs })
  expect(counted.get('request_errors_total{code="bad_request"}')).toBeGreaterThan(20)
})

test('requests without end on connections that do not read', async () => {
  const { endedAfterMs } = await withstand({ attack: 'pipelining', connections: isFull ? 200 : 20 })
  expect(endedAfterMs).toBeLessThan(within(isFull ? 60 : 1))
})

test('handshake floods', async () => {
  const { counted } = await withstand({ attack: 'handshakes', connections: isFull ? 200 : 20, durationMs: floodMs })
  expect(counted.get('tls_handshakes_failed_total')).toBeGreaterThan(0)
})

test('handshakes that are begun and left', async () => {
  const { endedAfterMs } = await withstand({
    attack: 'silentHandshakes',
    connections: many,
    isOver: counted => (counted.get('tls_handshakes_failed_total') ?? 0) >= many,
  })
  expect(endedAfterMs).toBeLessThan(within(isFull ? 10 : 2))
})

test('more connections than there is room for', async () => {
  const room = isFull ? 1_000 : 100
  const { counted } = await withstand({
    attack: 'silentConnections',
    connections: room * 3,
    configuration: { limits: { maxConnections: room } },
  })
  expect(counted.get('connections_evicted_total')).toBeGreaterThan(room)
})

test('more connections from one address than it may have', async () => {
  const { counted } = await withstand({
    attack: 'silentConnections',
    connections: many,
    configuration: { limits: { maxConnectionsPerAddress: 50 } },
  })
  expect(counted.get('connections_refused_total')).toBeGreaterThan(0)
})

test('floods of chunk extensions', async () => {
  const { counted } = await withstand({ attack: 'chunkExtensions', connections: 20, durationMs: floodMs })
  expect(counted.get('request_errors_total{code="bad_request"}')).toBeGreaterThan(0)
})

test('floods of WebSocket messages to an endpoint that does not read', async () => {
  const { endedAfterMs } = await withstand({ attack: 'webSocketMessages', connections: isFull ? 200 : 20 })
  expect(endedAfterMs).toBeLessThan(within(isFull ? 60 : 1))
})

test('WebSockets through which nothing comes', async () => {
  const { endedAfterMs } = await withstand({ attack: 'silentWebSockets', connections: many })
  expect(endedAfterMs).toBeLessThan(within(isFull ? 60 : 1))
})

test('connections that are half open', async () => {
  const { endedAfterMs } = await withstand({ attack: 'halfOpen', connections: isFull ? 300 : 60 })
  expect(endedAfterMs).toBeLessThan(within(isFull ? 60 : 3))
})
