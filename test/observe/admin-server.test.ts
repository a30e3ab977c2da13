import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { AdminServer, type AdminServerOptions, json } from '../../src/observe/admin-server.ts'

let server: AdminServer | undefined
let ready = true

afterEach(async () => {
  await server?.close()
  server = undefined
  ready = true
})

async function start(options: Partial<AdminServerOptions> = {}): Promise<string> {
  server = new AdminServer({ listen: { address: '127.0.0.1', port: 0 }, ready: () => ready, ...options })
  await server.start()
  return server.describe()
}

test('it is alive at once and ready when it is told so', async () => {
  const url = await start()
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  ready = false
  expect((await fetch(`${url}/readyz`)).status).toBe(503)
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
})

test('metrics are there in the exposition format, or not at all', async () => {
  const bare = await start()
  expect((await fetch(`${bare}/metrics`)).status).toBe(404)
  await server?.close()
  const url = await start({ metrics: async () => 'up 1\n' })
  const response = await fetch(`${url}/metrics`)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(await response.text()).toBe('up 1\n')
})

test('only GET and HEAD are allowed, and only what is in the table', async () => {
  const url = await start()
  const posted = await fetch(`${url}/healthz`, { method: 'POST', body: 'x' })
  expect(posted.status).toBe(405)
  expect(posted.headers.get('allow')).toBe('GET, HEAD')
  const head = await fetch(`${url}/healthz`, { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
  expect((await fetch(`${url}/backends`)).status).toBe(404)
  expect((await fetch(`${url}/__proto__`)).status).toBe(404)
})

test('a route that fails is 500 and shows nothing', async () => {
  const url = await start({
    routes: {
      '/backends': () => {
        throw new Error('internal detail')
      },
    },
  })
  const response = await fetch(`${url}/backends`)
  expect(response.status).toBe(500)
  expect(await response.text()).not.toContain('detail')
})

test('on a unix socket it shows more, and replaces the socket file of an earlier process', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ingress-fleet-test-'))
  const socketPath = join(directory, 'admin.sock')
  writeFileSync(socketPath, '')
  await start({ listen: { socketPath }, routes: { '/backends': query => json([query.get('name')]) } })
  const body = await new Promise<string>((resolve, reject) => {
    request({ socketPath, path: '/backends?name=a' }, response => {
      response.setEncoding('utf8')
      let text = ''
      response.on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () => resolve(text))
    })
      .on('error', reject)
      .end()
  })
  expect(JSON.parse(body)).toEqual(['a'])
  await server?.close()
  server = undefined
  rmSync(directory, { recursive: true })
})
