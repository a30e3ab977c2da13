import { expect, it, onTestFinished } from 'vitest'
import { Connections } from '../../src/kube/connections.ts'

it('keeps its connections while the TLS material stays, and makes new ones when the CA or a certificate changes', async () => {
  const connections = new Connections(error => {
    throw error
  })
  onTestFinished(() => connections.destroy())
  const first = connections.agent({ caPem: 'one', certificatePem: 'a' })
  expect(connections.agent({ caPem: 'one', certificatePem: 'a' })).toBe(first)
  const second = connections.agent({ caPem: 'two', certificatePem: 'a' })
  expect(second).not.toBe(first)
  expect(first.closed).toBe(true)
  expect(second.closed).toBe(false)
  expect(connections.agent({ caPem: 'two', certificatePem: 'b' })).not.toBe(second)
})
