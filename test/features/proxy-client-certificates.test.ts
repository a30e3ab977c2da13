import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ConnectionOptions } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ClientCertificateRule } from '../../src/routing/model.ts'
import { host, InProcess } from '../proxy/in-process.ts'
import { RawBackend } from '../proxy/raw-backend.ts'
import { RawClient } from '../proxy/raw-client.ts'
import { type IssuedCertificate, TestAuthority } from '../proxy/test-authority.ts'
import { testCertificate } from '../proxy/test-certificate.ts'

const fallback = testCertificate('test/default', 'default', ['default.test'])
const own = testCertificate('test/own', 'own', ['a.test', 'open.test'])
const root = TestAuthority.root('Root of Clients')
const intermediate = root.intermediate('Intermediate')
const stranger = TestAuthority.root('Somebody else')

const alice = root.issue('alice', { organization: 'Ä, Co' })
const mallory = stranger.issue('mallory')

const rule: ClientCertificateRule = { verify: 'on', maxDepth: 1, authorities: root.pem, passCertificate: false }
const versions = ['TLSv1.2', 'TLSv1.3'] as const

let backend: RawBackend
let proxy: InProcess

beforeAll(async () => {
  backend = await new RawBackend().start()
  proxy = await new InProcess().start({
    hosts: { 'open.test': host('open.test', 'app', { tls: true, certificate: own.id }) },
    backends: { app: [backend.port] },
    certificates: [fallback, own],
    defaultCertificate: fallback.id,
  })
})

beforeEach(async () => {
  backend.requests.length = 0
  await proxy.publish({ hosts: { 'a.test': undefined }, settings: {} })
})

afterAll(async () => {
  await proxy.close()
  await backend.close()
})

async function demand(change: Partial<ClientCertificateRule> = {}): Promise<void> {
  const clientCertificates = { ...rule, ...change }
  await proxy.publish({
    hosts: { 'a.test': host('a.test', 'app', { tls: true, certificate: own.id, clientCertificates }) },
  })
}

async function connect(certificate?: IssuedCertificate, options: ConnectionOptions = {}) {
  const { cert, key } = certificate ?? {}
  return RawClient.connectTls(proxy.httpsPort, {
    servername: 'a.test',
    ...(cert === undefined ? {} : { cert, key }),
    ...options,
  })
}

async function ask(client: RawClient, name = 'a.test', fields = '') {
  client.get(name, '/', fields)
  return client.response()
}

async function statusFor(certificate?: IssuedCertificate, options: ConnectionOptions = {}): Promise<number> {
  const client = await connect(certificate, options)
  const { status } = await ask(client)
  client.destroy()
  return status
}

/** The session that a connection leaves behind for the next one. */
async function sessionOf(certificate: IssuedCertificate | undefined, options: ConnectionOptions): Promise<Buffer> {
  const client = await connect(certificate, options)
  // With TLS 1.3 it comes after the handshake, with TLS 1.2 it is there already.
  const known = options.maxVersion === 'TLSv1.2' ? client.socket.getSession() : undefined
  const given = once(client.socket, 'session') as Promise<[Buffer]>
  await ask(client, options.servername ?? 'a.test')
  const session = known ?? (await given)[0]
  client.destroy()
  return session
}

function fieldOf(name: string): readonly string[] | undefined {
  return backend.requests.at(-1)?.headers.get(name)
}

describe('a host that demands certificates', () => {
  test('serves a client with a valid one, and tells its backend who it is', async () => {
    await demand({ passCertificate: true })
    const client = await connect(alice)
    const forged = 'ssl-client-verify: forged\r\nSSL_Client_Cert: forged\r\nSsl-Client-Issuer-Dn: forged\r\n'
    expect((await ask(client, 'a.test', forged)).status).toBe(200)
    expect(fieldOf('ssl-client-verify')).toEqual(['SUCCESS'])
    expect(fieldOf('ssl-client-subject-dn')).toEqual(['CN=alice,O=\\C3\\84\\, Co'])
    expect(fieldOf('ssl-client-issuer-dn')).toEqual(['CN=Root of Clients'])
    expect(fieldOf('ssl_client_cert')).toBeUndefined()
    expect(fieldOf('ssl-client-cert')).toEqual([encodeURIComponent(alice.cert.replaceAll('\r', ''))])
  })

  test('answers 400 without one and closes, and its backend sees nothing', async () => {
    await demand()
    const client = await connect()
    const response = await ask(client)
    expect(response).toMatchObject({ status: 400, body: 'A client certificate is required for this host.\n' })
    await client.untilClosed()
    expect(backend.requests).toEqual([])
  })

  test('answers 400 to one of another authority, and to one that has expired', async () => {
    await demand()
    expect(await statusFor(mallory)).toBe(400)
    expect(await statusFor(root.issue('late', { expired: true }))).toBe(400)
    expect(backend.requests).toEqual([])
  })

  test('counts the authorities between the certificate and the root, which must all be known', async () => {
    const certificate = intermediate.issue('bob')
    await demand({ authorities: root.pem + intermediate.pem })
    expect(await statusFor(certificate)).toBe(200)
    await demand({ authorities: root.pem + intermediate.pem, maxDepth: 0 })
    expect(await statusFor(certificate)).toBe(400)
    expect(await statusFor(alice)).toBe(200)
    await demand()
    expect(await statusFor({ ...certificate, cert: certificate.cert + intermediate.pem })).toBe(400)
    await demand({ authorities: intermediate.pem })
    expect(await statusFor(certificate)).toBe(400)
  })

  test('is asked in the clear in vain', async () => {
    await demand()
    await proxy.publish({ settings: { tlsRedirect: false } })
    const client = await proxy.client()
    expect((await ask(client)).status).toBe(400)
    expect(backend.requests).toEqual([])
  })

  test.each(['A.TEST', 'a.test.'])('is meant by the server name %s, too', async servername => {
    await demand()
    expect(await statusFor(alice, { servername })).toBe(200)
    expect(await statusFor(undefined, { servername })).toBe(400)
  })

  test('lets in the common names that it says', async () => {
    await demand({ commonNames: { exact: ['alice'], prefixes: ['robot-'] } })
    expect(await statusFor(alice)).toBe(200)
    expect(await statusFor(root.issue('robot-7'))).toBe(200)
    expect(await statusFor(root.issue('alice2'))).toBe(403)
  })

  test('is the only one whose clients are asked, and names its authorities to them', async () => {
    await demand()
    expect(await handshakeOf('a.test')).toContain('CN = Root of Clients')
    expect(await handshakeOf('open.test')).toContain('No client certificate CA names sent')
  })
})

describe('a host that takes certificates', () => {
  test('serves clients without one, and refuses an invalid one', async () => {
    await demand({ verify: 'optional' })
    expect(await statusFor()).toBe(200)
    expect(fieldOf('ssl-client-verify')).toEqual(['NONE'])
    expect(await statusFor(alice)).toBe(200)
    expect(fieldOf('ssl-client-verify')).toEqual(['SUCCESS'])
    expect(await statusFor(mallory)).toBe(400)
  })

  test('leaves it to its backend to know the authority, where it is told to', async () => {
    await demand({ verify: 'optional_no_ca' })
    expect(await statusFor(mallory)).toBe(200)
    expect(fieldOf('ssl-client-verify')).toEqual(['FAILED:unable to verify the first certificate'])
    expect(fieldOf('ssl-client-subject-dn')).toEqual(['CN=mallory'])
    expect(await statusFor(root.issue('late', { expired: true }))).toBe(400)
  })
})

describe.each(versions)('with %s', version => {
  const only = { minVersion: version, maxVersion: version } as const

  test.each(['open.test', 'nobody.test', ''])(
    'the server name %j gets 421 for a host that demands certificates',
    async servername => {
      await demand()
      const client = await connect(alice, { ...only, servername })
      expect((await ask(client)).status).toBe(421)
      await client.untilClosed()
      expect(backend.requests).toEqual([])
    },
  )

  test('the server name of a host that demands certificates is good for one that does not', async () => {
    await demand()
    const client = await connect(undefined, only)
    expect((await ask(client, 'open.test')).status).toBe(200)
    expect(fieldOf('ssl-client-verify')).toBeUndefined()
  })

  test('a resumed session brings its certificate along', async () => {
    await demand()
    const session = await sessionOf(alice, only)
    const client = await connect(undefined, { ...only, session })
    expect(client.socket.isSessionReused()).toBe(true)
    expect((await ask(client)).status).toBe(200)
    expect(fieldOf('ssl-client-subject-dn')).toEqual(['CN=alice,O=\\C3\\84\\, Co'])
  })

  test('a session of a host without a rule gives no access to one with a rule', async () => {
    await demand()
    const session = await sessionOf(undefined, { ...only, servername: 'open.test' })
    expect([400, 421]).toContain(await statusFor(undefined, { ...only, session }))
    const client = await connect(undefined, { ...only, servername: 'open.test', session })
    // A session resumed with TLS 1.2 has forgotten its server name.
    expect((await ask(client)).status).toBe(version === 'TLSv1.3' ? 421 : 400)
    expect(backend.requests.length).toBe(1)
  })

  test('what is open or resumed is judged by the authorities of now', async () => {
    await demand()
    const session = await sessionOf(alice, only)
    const open = await connect(alice, only)
    expect((await ask(open)).status).toBe(200)
    await demand({ authorities: stranger.pem })
    expect((await ask(open)).status).toBe(400)
    expect(await statusFor(undefined, { ...only, session })).toBe(400)
    expect(await statusFor(mallory, only)).toBe(200)
  })

  test('what is open or resumed is judged by the revocations of now', async () => {
    await demand({ revocations: root.revoke() })
    const session = await sessionOf(alice, only)
    const open = await connect(alice, only)
    expect((await ask(open)).status).toBe(200)
    await demand({ revocations: root.revoke('0f', alice.serialNumber) })
    expect((await ask(open)).status).toBe(400)
    expect(await statusFor(undefined, { ...only, session })).toBe(400)
    expect(await statusFor(alice, only)).toBe(400)
    expect(await statusFor(root.issue('bob'), only)).toBe(200)
  })

  test('a host that begins to demand certificates refuses connections of before, and asks whoever has a session', async () => {
    await proxy.publish({ hosts: { 'a.test': host('a.test', 'app', { tls: true, certificate: own.id }) } })
    const session = await sessionOf(alice, only)
    const open = await connect(alice, only)
    expect((await ask(open)).status).toBe(200)
    await demand()
    expect((await ask(open)).status).toBe(400)
    expect(await statusFor(undefined, { ...only, session })).toBe(400)
    expect(await statusFor(alice, { ...only, session })).toBe(200)
  })
})

test('authorities that cannot be read shut out every client, and nobody else', async () => {
  await demand({ authorities: '-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n' })
  expect(await statusFor(alice)).toBe(400)
  const client = await connect(undefined, { servername: 'open.test' })
  expect((await ask(client, 'open.test')).status).toBe(200)
})

/** What the `openssl` program prints about a handshake. */
async function handshakeOf(servername: string): Promise<string> {
  const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${proxy.httpsPort}`, '-servername', servername])
  let printed = ''
  client.stdout.on('data', (text: Buffer) => {
    printed += text.toString()
  })
  client.stdin.end('Q\n')
  await new Promise(resolve => {
    client.once('close', resolve)
  })
  return printed
}
