import { describe, expect, test } from 'vitest'
import { host, InProcess } from '../proxy/in-process.ts'
import { kill, mortal } from '../proxy/mortal-workers.ts'
import { routedTo, withOwnBackend } from '../proxy/one-backend.ts'
import { ok, RawBackend } from '../proxy/raw-backend.ts'
import { RawClient } from '../proxy/raw-client.ts'

let backend: RawBackend
let proxy: InProcess

withOwnBackend(
  own => {
    backend = own
  },
  () => proxy,
)

async function start(workers: number, options = {}): Promise<void> {
  proxy = await new InProcess(workers, options).start(routedTo(backend))
}

async function bodyOf(target: string): Promise<string> {
  const client = await proxy.client()
  client.get('a.test', target)
  const { body } = await client.response()
  client.destroy()
  return body
}

describe('several workers', () => {
  test('serve on the same ports, and a publication is complete when all of them serve it', async () => {
    await start(2)
    expect(proxy.stats).toMatchObject({ workers: 2, workersServing: 2, servedRevision: 1 })
    for (let round = 0; round < 20; round++) expect(await bodyOf(`/${round}`)).toBe(`hello from /${round}`)
    const other = await new RawBackend().start()
    other.answer = (_, connection) => connection.send(ok('other'))
    await proxy.publish({ backends: { app: [other.port] } })
    expect(proxy.proxy.servedRevision).toBe(2)
    for (let round = 0; round < 20; round++) expect(await bodyOf('/')).toBe('other')
    await other.close()
  })

  test('that are lost are replaced, with the present table', async () => {
    await start(2, mortal)
    const other = await new RawBackend().start()
    other.answer = (_, connection) => connection.send(ok('other'))
    await proxy.publish({ backends: { app: [other.port] } })
    kill(0)
    await proxy.until(stats => stats.workersLost === 1 && stats.workersServing === 2)
    for (let round = 0; round < 20; round++) expect(await bodyOf('/')).toBe('other')
    await proxy.publish({ backends: { app: [backend.port] } })
    for (let round = 0; round < 20; round++) expect(await bodyOf('/x')).toBe('hello from /x')
    await other.close()
  })

  test('that are lost again and again come back more slowly each time', async () => {
    await start(1, mortal)
    for (let loss = 1; loss <= 3; loss++) {
      kill(0)
      await proxy.until(stats => stats.workersLost === loss && stats.workersServing === 1)
    }
    const losses = proxy.logged.filter(line => line['msg'] === 'data worker lost')
    expect(losses.map(line => line['restartInMs'])).toEqual([0, 100, 200])
    expect(losses[0]?.['error']).toContain('killed by a test')
    expect(await bodyOf('/x')).toBe('hello from /x')
  })

  test('keep their counts when they are lost, but for what was open', async () => {
    await start(1, mortal)
    const client = await proxy.client()
    client.get('a.test')
    await client.response()
    expect(proxy.stats.connectionsOpen).toBe(1)
    kill(0)
    await proxy.until(stats => stats.workersLost === 1 && stats.workersServing === 1)
    expect(proxy.stats).toMatchObject({ requests: 1, connectionsOpen: 0 })
  })

  test('that are lost take the requests with them that they were serving, which are counted', async () => {
    await start(1, mortal)
    backend.answer = () => {}
    const clients = await Promise.all([proxy.client(), proxy.client()])
    for (const client of clients) client.get('a.test')
    await proxy.until(stats => stats.requestsInFlight === 2 && backend.requests.length === 2)
    const idle = await proxy.client()
    kill(0)
    await proxy.until(stats => stats.workersLost === 1 && stats.workersServing === 1)
    for (const client of clients) await expect(client.response()).rejects.toThrow('connection ended')
    await idle.untilClosed()
    expect(proxy.stats).toMatchObject({ requests: 0, requestsLost: 2, requestsInFlight: 0 })
  })

  test('that hang are noticed and replaced, while the others serve', async () => {
    await start(2, { ...mortal, hangMs: 2_000 })
    kill('hang 1')
    await proxy.until(stats => stats.workersLost === 1 && stats.workersServing === 2)
    expect(proxy.logged.find(line => line['msg'] === 'data worker lost')).toMatchObject({ worker: 1, restartInMs: 0 })
    for (let round = 0; round < 20; round++) expect(await bodyOf('/x')).toBe('hello from /x')
    // The other one was not taken for it.
    expect(proxy.stats.workersLost).toBe(1)
  })

  test('do not hold up a publication when one is down', async () => {
    await start(2, mortal)
    kill(1)
    await proxy.publish({ hosts: { 'b.test': host('b.test', 'app') } })
    expect(proxy.proxy.servedRevision).toBe(2)
  })

  test('share their TLS tickets: a session that began with one resumes with another', async () => {
    await start(2)
    const { testCertificate } = await import('../proxy/test-certificate.ts')
    const certificate = testCertificate('test/default', 'default', ['a.test'])
    await proxy.publish({ certificates: [certificate], defaultCertificate: certificate.id })
    const first = await RawClient.connectTls(proxy.httpsPort, { servername: 'a.test', maxVersion: 'TLSv1.2' })
    first.get('a.test')
    await first.response()
    const session = first.socket.getSession()
    first.destroy()
    for (let round = 0; round < 10; round++) {
      const again = await RawClient.connectTls(proxy.httpsPort, {
        servername: 'a.test',
        maxVersion: 'TLSv1.2',
        ...(session === undefined ? {} : { session }),
      })
      expect(again.socket.isSessionReused()).toBe(true)
      again.destroy()
    }
  })

  test('that cannot listen fail the start with a reason', async () => {
    await start(1)
    const { createServer } = await import('node:net')
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => {
      taken.once('listening', resolve)
    })
    const address = taken.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    const second = new InProcess(1, { httpPort: port })
    await expect(second.start()).rejects.toThrow('EADDRINUSE')
    await second.close()
    taken.close()
  })
})
