import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import { generateSelfSigned } from '../../../src/certificates/generate.ts'
import { runHandshakes } from './handshakes.ts'

const options = { host: 'localhost', path: '/', concurrency: 2, seconds: 0.3 }

/** Counts handshakes of both kinds by itself. */
async function withServer(
  status: number,
  use: (port: number) => Promise<void>,
): Promise<{ full: number; resumed: number }> {
  const { certificate, key } = await generateSelfSigned({ hosts: ['localhost'], now: new Date() })
  const seen = { full: 0, resumed: 0 }
  const server: Server = createServer({ cert: certificate, key }, (request, response) => {
    seen[(request.socket as TLSSocket).isSessionReused() ? 'resumed' : 'full']++
    response.writeHead(status, { 'content-length': 3 }).end('ok\n')
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  try {
    await use((server.address() as AddressInfo).port)
  } finally {
    server.close()
    server.closeAllConnections()
  }
  return seen
}

test('full handshakes are full, and each is answered', async () => {
  const seen = await withServer(200, async port => {
    const { done, failures } = await runHandshakes({ ...options, port, resumed: false })
    expect(failures).toEqual({ status: 0, reset: 0, wrongKind: 0 })
    seenDone = done
  })
  expect(seen).toEqual({ full: seenDone, resumed: 0 })
})

test('resumed handshakes are resumed, but for one of each client to begin with', async () => {
  const seen = await withServer(200, async port => {
    const { done, failures } = await runHandshakes({ ...options, port, resumed: true })
    expect(failures).toEqual({ status: 0, reset: 0, wrongKind: 0 })
    seenDone = done
  })
  expect(seen).toEqual({ full: options.concurrency, resumed: seenDone })
  expect(seenDone).toBeGreaterThan(0)
})

test('an error status is no handshake that counts', async () => {
  await withServer(503, async port => {
    const { done, failures } = await runHandshakes({ ...options, port, resumed: false })
    expect(done).toBe(0)
    expect(failures.status).toBeGreaterThan(0)
  })
})

let seenDone = 0
