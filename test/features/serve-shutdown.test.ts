import { expect, test, vi } from 'vitest'
import { ingress, service, slice } from './sample-objects.ts'
import { Serving } from './serving.ts'

const patience = { timeout: 10_000, interval: 10 }

async function serveSlowly(serving: Serving, release: Promise<void>, ...options: readonly string[]): Promise<void> {
  const port = await serving.backend('slow', (_request, response) => {
    response.write('first ')
    void release.then(() => response.end('last'))
  })
  serving.write(
    'all.yaml',
    service('web'),
    slice('web-1', 'web', port),
    ingress('shop', [{ service: 'web' }], { className: '' }),
  )
  await serving.start(...options)
}

test('on SIGTERM a request in flight ends in order, nothing new is accepted, and the exit code is 0', async () => {
  await using serving = new Serving()
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  await serveSlowly(serving, released)
  const answer = serving.get('http://shop.example.com/')
  await vi.waitFor(async () => {
    expect((await serving.getAdmin('/metrics')).body).toMatch(/^ingress_fleet_proxy_requests_in_flight 1$/m)
  }, patience)
  serving.kill('SIGTERM')
  await vi.waitFor(async () => expect(await serving.getAdmin('/readyz')).toMatchObject({ status: 503 }), patience)
  await vi.waitFor(async () => expect(await serving.listensOn('127.0.0.1')).toBe(false), patience)
  release()
  expect(await answer).toMatchObject({ status: 200, body: 'first last' })
  expect(await serving.exited()).toBe(0)
})

test('a second signal ends the process at once', async () => {
  await using serving = new Serving()
  await serveSlowly(serving, new Promise(() => {}))
  const answer = serving.get('http://shop.example.com/').catch(() => 'cut')
  await vi.waitFor(async () => {
    expect((await serving.getAdmin('/metrics')).body).toMatch(/^ingress_fleet_proxy_requests_in_flight 1$/m)
  }, patience)
  serving.kill('SIGTERM')
  await vi.waitFor(async () => expect(await serving.getAdmin('/readyz')).toMatchObject({ status: 503 }), patience)
  serving.kill('SIGTERM')
  expect(await serving.exited()).toBe(143)
  expect(await answer).toBe('cut')
})

test('with --lame-duck connections are still accepted after SIGTERM, while the process says that it is not ready', async () => {
  await using serving = new Serving()
  await serveSlowly(serving, Promise.resolve(), '--lame-duck', '3600')
  serving.kill('SIGTERM')
  await vi.waitFor(async () => expect(await serving.getAdmin('/readyz')).toMatchObject({ status: 503 }), patience)
  // The log comes another way than the answer, and may come later.
  await vi.waitFor(
    () => expect(serving.log.find(({ msg }) => msg === 'drain begins')).toMatchObject({ lameDuckMs: 3_600_000 }),
    patience,
  )
  expect(await serving.get('http://shop.example.com/')).toMatchObject({ status: 200 })
})
