import { expect, test } from 'vitest'
import { DataWorker } from '../../src/proxy/data-worker.ts'
import { WorkerCounters } from '../../src/proxy/worker-counters.ts'
import type { FromWorker } from '../../src/proxy/worker-protocol.ts'
import type { Delta } from '../../src/routing/model.ts'

function deltaOf(revision: number, address: string): Delta {
  const backend = { id: 'a/b/80', namespace: 'a', service: 'b', port: '80', endpoints: [{ address, port: 8080 }] }
  return { revision, hosts: new Map(), backends: new Map([[backend.id, backend]]), certificates: new Map() }
}

test('a change that comes while the worker starts wins over the table that it was started with', async () => {
  const posted: FromWorker[] = []
  const stopped = Promise.withResolvers<void>()
  const configuration = {
    index: 0,
    address: '127.0.0.1',
    httpPort: 0,
    httpsPort: 0,
    forwardedPorts: { http: 80, https: 443 },
    allowLoopbackEndpoints: false,
    state: deltaOf(1, '10.0.0.1'),
    counters: new WorkerCounters().memory,
    memoryIsOver: false,
    ticketKeys: new Uint8Array(48),
  }
  const worker = new DataWorker(configuration, message => {
    posted.push(message)
    if (message.type === 'stopped') stopped.resolve()
  })
  const starting = worker.start()
  worker.receive({ type: 'delta', delta: deltaOf(2, '10.0.0.2') })
  await starting
  worker.receive({ type: 'list-backends', request: 1 })
  worker.receive({ type: 'stop', graceMs: 0 })
  await stopped.promise

  const listed = posted.find(message => message.type === 'backends')?.backends[0]
  expect(listed?.endpoints).toEqual([{ address: '10.0.0.2', port: '8080' }])
  expect(posted.findLast(message => message.type === 'serving')).toEqual({ type: 'serving', revision: 2 })
})
