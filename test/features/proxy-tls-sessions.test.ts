import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { host, InProcess, turn } from '../proxy/in-process.ts'
import { RawBackend } from '../proxy/raw-backend.ts'
import { RawClient } from '../proxy/raw-client.ts'
import { testCertificate } from '../proxy/test-certificate.ts'

const fallback = testCertificate('test/default', 'default', ['default.test'])
const own = testCertificate('test/own', 'own', ['a.test'])
const renewed = testCertificate('test/own', 'renewed', ['a.test'])

const folder = mkdtempSync(join(tmpdir(), 'ingress-fleet-tickets-'))
const ticketKeyFile = join(folder, 'ticket.key')
let backend: RawBackend
/** Two replicas with the same keys, the first of two workers, and one with keys of its own. */
let replicas: readonly [InProcess, InProcess]
let stranger: InProcess

beforeAll(async () => {
  writeFileSync(ticketKeyFile, Buffer.alloc(48, 1))
  backend = await new RawBackend().start()
  const table = {
    hosts: { 'a.test': host('a.test', 'app', { tls: true, certificate: own.id }) },
    backends: { app: [backend.port] },
    certificates: [fallback, own],
    defaultCertificate: fallback.id,
  }
  replicas = [
    await new InProcess(2, { ticketKeyFile }).start(table),
    await new InProcess(1, { ticketKeyFile }).start(table),
  ]
  stranger = await new InProcess().start(table)
})

afterAll(async () => {
  for (const one of [...replicas, stranger]) await one.close()
  await backend.close()
  rmSync(folder, { recursive: true })
})

interface Visit {
  readonly resumed: boolean
  readonly certificateName: string
  readonly session: Buffer
}

/** One request over a connection of its own. A resumed session is not renewed: the one it was made of goes on. */
async function visit(proxy: InProcess, options: ConnectionOptions): Promise<Visit> {
  const client = await RawClient.connectTls(proxy.httpsPort, { servername: 'a.test', ...options })
  const resumed = client.socket.isSessionReused()
  const known = resumed || options.maxVersion === 'TLSv1.2' ? client.socket.getSession() : undefined
  const given = once(client.socket, 'session') as Promise<[Buffer]>
  const certificateName = String(client.socket.getPeerCertificate().subject?.CN)
  client.get('a.test')
  expect((await client.response()).status).toBe(200)
  const session = known ?? (await given)[0]
  client.destroy()
  return { resumed, certificateName, session: resumed ? (options.session ?? session) : session }
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a session of %s', version => {
  const only = { minVersion: version, maxVersion: version } as const

  test('resumes at any worker and any replica with the same keys', async () => {
    const [first, second] = replicas
    let { session } = await visit(first, only)
    // The kernel chooses the worker: of so many connections both get some.
    for (let turns = 0; turns < 12; turns++) {
      const again = await visit(first, { ...only, session })
      expect(again.resumed).toBe(true)
      session = again.session
    }
    expect((await visit(second, { ...only, session })).resumed).toBe(true)
  })

  test('leads to a full handshake where the keys are others', async () => {
    const { session } = await visit(replicas[0], only)
    expect((await visit(stranger, { ...only, session })).resumed).toBe(false)
  })
})

test('a session outlives a renewal of the certificate, which the next full handshake shows', async () => {
  const { session, certificateName } = await visit(stranger, {})
  expect(certificateName).toBe('own')
  await stranger.publish({ certificates: [renewed] })
  expect((await visit(stranger, { session })).resumed).toBe(true)
  expect((await visit(stranger, {})).certificateName).toBe('renewed')
})

test('new keys are taken over while connections are open; tickets of before lead to a full handshake', async () => {
  const [first, second] = replicas
  const { session } = await visit(first, {})
  const open = await RawClient.connectTls(first.httpsPort, { servername: 'a.test' })
  const replaced = (proxy: InProcess): number =>
    proxy.logged.filter(({ msg }) => msg === 'keys of TLS session tickets replaced').length
  const before = [replaced(first), replaced(second)]
  writeFileSync(ticketKeyFile, Buffer.alloc(48, 2))
  while (replaced(first) === before[0] || replaced(second) === before[1]) await turn()
  // A message that comes after the keys, answered by both workers.
  for (const one of replicas) await one.publish({})
  open.get('a.test')
  expect((await open.response()).status).toBe(200)
  const full = await visit(first, { session })
  expect(full.resumed).toBe(false)
  expect((await visit(second, { session: full.session })).resumed).toBe(true)
  open.destroy()
})
