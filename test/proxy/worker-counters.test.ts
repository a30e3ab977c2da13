import { expect, test } from 'vitest'
import { WorkerCounters } from '../../src/proxy/worker-counters.ts'

test('what workers count in shared memory is summed', () => {
  const control = [new WorkerCounters(), new WorkerCounters()]
  for (const [index, one] of control.entries()) {
    const worker = new WorkerCounters(one.memory)
    worker.add('requests', index + 1)
    worker.add('connectionsOpen')
    worker.fail('no_route')
  }
  const sum = WorkerCounters.sum(control)
  expect(sum).toMatchObject({ requests: 3, connectionsOpen: 2, responses2xx: 0 })
  expect(sum.errors).toMatchObject({ no_route: 2, internal: 0 })
})

test('a worker that died holds nothing open and loses no count', () => {
  const counters = new WorkerCounters()
  counters.add('requests', 7)
  counters.add('upstreamIdle', 3)
  counters.resetGauges()
  expect(WorkerCounters.sum([counters])).toMatchObject({ requests: 7, upstreamIdle: 0 })
})
