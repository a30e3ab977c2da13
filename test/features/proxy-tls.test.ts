import { connect as connectTcp } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { tlsProfiles } from '../../src/api/tls-profile.ts'
import { host, InProcess } from '../proxy/in-process.ts'
import { withOneBackend } from '../proxy/one-backend.ts'
import type { RawBackend } from '../proxy/raw-backend.ts'
import { RawClient } from '../proxy/raw-client.ts'
import { testCertificate } from '../proxy/test-certificate.ts'

const fallback = testCertificate('test/default', 'default', ['default.test'])
const exact = testCertificate('test/exact', 'exact', ['a.test'])
const wildcard = testCertificate('test/wildcard', 'wildcard', ['*.wild.test'])
const renewed = testCertificate('test/exact', 'renewed', ['a.test'])

let backend: RawBackend
let proxy: InProcess

withOneBackend(
  one => {
    ;({ backend, proxy } = one)
  },
  {
    hosts: {
      'a.test': host('a.test', 'app', { tls: true, certificate: exact.id }),
      '*.wild.test': host('*.wild.test', 'app', { tls: true, certificate: wildcard.id }),
      'plain.test': host('plain.test', 'app'),
    },
    certificates: [fallback, exact, wildcard],
    defaultCertificate: fallback.id,
  },
)

async function connect(options: ConnectionOptions) {
  return RawClient.connectTls(proxy.httpsPort, options)
}

/** Common name of the certificate that the server name gets. */
async function certificateFor(options: ConnectionOptions): Promise<string> {
  const client = await connect(options)
  const name = client.socket.getPeerCertificate().subject.CN
  client.destroy()
  return String(name)
}

test('a request over TLS is served, and its endpoint is told so', async () => {
  const client = await connect({ servername: 'a.test' })
  expect(client.socket.alpnProtocol).toBe('http/1.1')
  client.get('a.test', '/x')
  expect(await client.response()).toMatchObject({ status: 200, body: 'hello from /x' })
  expect(backend.requests[0]?.headers.get('x-forwarded-proto')).toEqual(['https'])
  expect(backend.requests[0]?.headers.get('x-forwarded-port')).toEqual(['443'])
})

test.each([
  ['exactly', 'a.test', 'exact'],
  ['in upper case', 'A.TEST', 'exact'],
  ['with a trailing dot', 'a.test.', 'exact'],
  ['by one label of a wildcard', 'x.wild.test', 'wildcard'],
  ['not by two labels of a wildcard', 'x.y.wild.test', 'default'],
  ['not by the bare domain of a wildcard', 'wild.test', 'default'],
  ['as one without a certificate of its own', 'plain.test', 'default'],
  ['as an unknown one', 'nobody.test', 'default'],
])('a server name is matched %s', async (_, servername, name) => {
  expect(await certificateFor({ servername })).toBe(name)
})

test('a client without a server name gets the default certificate', async () => {
  expect(await certificateFor({ servername: '' })).toBe('default')
})

test('a new certificate is served from the next handshake on, and open connections are kept', async () => {
  const open = await connect({ servername: 'a.test' })
  open.get('a.test', '/1')
  await open.response()
  await proxy.publish({ certificates: [renewed] })
  expect(await certificateFor({ servername: 'a.test' })).toBe('renewed')
  open.get('a.test', '/2')
  expect((await open.response()).body).toBe('hello from /2')
  expect(open.socket.getPeerCertificate().subject.CN).toBe('exact')
})

test('a new default certificate is served from the next handshake on', async () => {
  await proxy.publish({ certificates: [renewed], defaultCertificate: renewed.id })
  expect(await certificateFor({ servername: '' })).toBe('renewed')
  expect(await certificateFor({ servername: 'nobody.test' })).toBe('renewed')
})

test('a certificate that cannot be loaded costs its own host only', async () => {
  await proxy.publish({ certificates: [{ id: exact.id, certificate: 'no certificate', key: 'no key' }] })
  expect(await certificateFor({ servername: 'a.test' })).toBe('default')
  expect(await certificateFor({ servername: 'x.wild.test' })).toBe('wildcard')
  expect(proxy.stats.certificatesRejected).toBe(1)
})

test('a default certificate that cannot be loaded leaves the last good one in service, and is told of once', async () => {
  await proxy.publish({ certificates: [{ id: fallback.id, certificate: 'no certificate', key: 'no key' }] })
  await proxy.publish({ hosts: { 'b.test': host('b.test', 'app') } })
  expect(await certificateFor({ servername: '' })).toBe('default')
  expect(await certificateFor({ servername: 'plain.test' })).toBe('default')
  expect(await certificateFor({ servername: 'plain.test' })).toBe('default')
  expect(proxy.stats.certificatesRejected).toBe(1)
})

describe('parameters that cannot be loaded', () => {
  const unknown = { ...tlsProfiles.Intermediate, cipherSuites: ['NO-SUCH-SUITE'] }
  const broken = { id: fallback.id, certificate: 'no certificate', key: 'no key' }
  const other = testCertificate('test/default', 'other', ['default.test'])
  const certificateRejected = 'certificate could not be loaded, the default certificate is served instead'
  const parametersRejected =
    'TLS versions, suites or curves could not be loaded, those before are served instead, at start those of the Modern profile'

  /** Of the lines about what was rejected, in order. */
  async function rejected(count: number): Promise<unknown[]> {
    const told = () => proxy.logged.map(({ msg }) => msg).filter(msg => String(msg).includes('could not be loaded'))
    await proxy.until(() => told().length >= count)
    return told()
  }

  async function refusesOldVersions(): Promise<void> {
    await expect(connect({ servername: 'a.test', maxVersion: 'TLSv1.2' })).rejects.toThrow(/version/)
  }

  test('leave the last good ones in service, and are told of once', async () => {
    await proxy.publish({ settings: { tls: tlsProfiles.Modern } })
    await proxy.publish({ settings: { tls: unknown } })
    await proxy.publish({ hosts: { 'b.test': host('b.test', 'app') } })
    await refusesOldVersions()
    expect(await certificateFor({ servername: '' })).toBe('default')
    expect(await rejected(1)).toEqual([parametersRejected])
    expect(JSON.stringify(proxy.logged.at(-1))).toMatch(/"suites":"NO-SUCH-SUITE".*"error":".*no cipher match"/)
    await proxy.publish({ settings: { tls: tlsProfiles.Intermediate } })
    expect((await connect({ servername: 'a.test', maxVersion: 'TLSv1.2' })).socket.getProtocol()).toBe('TLSv1.2')
    expect(proxy.stats).toMatchObject({ workersLost: 0, certificatesRejected: 0 })
  })

  test('do not hold up a certificate that came with them, nor one that comes after them', async () => {
    await proxy.publish({ certificates: [other], settings: { tls: unknown } })
    expect(await certificateFor({ servername: '' })).toBe('other')
    await proxy.publish({ certificates: [fallback] })
    expect(await certificateFor({ servername: '' })).toBe('default')
    expect(await rejected(1)).toEqual([parametersRejected])
  })

  test('are told from a certificate that cannot be loaded, which does not hold up good ones', async () => {
    await proxy.publish({ certificates: [broken], settings: { tls: tlsProfiles.Modern } })
    await refusesOldVersions()
    expect(await certificateFor({ servername: '' })).toBe('default')
    expect(await rejected(1)).toEqual([certificateRejected])
  })

  test('leave everything as it was together with such a certificate', async () => {
    await proxy.publish({ settings: { tls: tlsProfiles.Modern } })
    await proxy.publish({ certificates: [broken], settings: { tls: unknown } })
    await refusesOldVersions()
    expect(await certificateFor({ servername: '' })).toBe('default')
    expect(await rejected(2)).toEqual([certificateRejected, parametersRejected])
    expect(proxy.stats).toMatchObject({ workersLost: 0, certificatesRejected: 1 })
  })

  test('do not keep a worker from starting', async () => {
    const started = await new InProcess().start({
      hosts: { 'plain.test': host('plain.test', 'app') },
      certificates: [fallback],
      defaultCertificate: fallback.id,
      settings: { tls: unknown },
    })
    const client = await RawClient.connectTls(started.httpsPort, { servername: 'plain.test' })
    expect(client.socket.getPeerCertificate().subject.CN).toBe('default')
    client.destroy()
    expect(started.stats.workersLost).toBe(0)
    await started.close()
  })
})

test('connections that never begin their handshake count towards the limit of connections', async () => {
  await proxy.publish({ settings: { limits: { maxConnections: 2 } } })
  const silent = [await RawClient.connect(proxy.httpsPort), await RawClient.connect(proxy.httpsPort)]
  const third = await RawClient.connect(proxy.httpsPort)
  await third.untilClosed()
  expect(proxy.stats.connectionsRefused).toBe(1)
  // Those that were first are still in theirs.
  expect(proxy.stats.tlsHandshakesFailed).toBe(0)
  for (const client of silent) client.destroy()
  await proxy.until(stats => stats.tlsHandshakesFailed === 2)
  expect(await certificateFor({ servername: 'a.test' })).toBe('exact')
})

test('TLS 1.1 and bytes that are no handshake are refused, and the worker goes on', async () => {
  await expect(connect({ servername: 'a.test', minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })).rejects.toThrow(
    /protocol|alert|ECONNRESET/i,
  )
  const socket = connectTcp(proxy.httpsPort, '127.0.0.1')
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')
  await new Promise<void>(resolve => {
    socket.on('close', () => resolve())
    socket.resume()
  })
  expect(proxy.stats.tlsHandshakesFailed).toBeGreaterThan(0)
  expect(await certificateFor({ servername: 'a.test' })).toBe('exact')
  expect(proxy.stats.workersLost).toBe(0)
})

test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s is served', async version => {
  const client = await connect({ servername: 'a.test', minVersion: version, maxVersion: version })
  client.get('a.test')
  expect((await client.response()).status).toBe(200)
})

test('a large response over TLS arrives whole', async () => {
  const body = 'x'.repeat(5_000_000)
  backend.answer = (_, connection) =>
    connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  const client = await connect({ servername: 'a.test' })
  client.get('a.test', '/', 'Connection: close\r\n')
  expect((await client.response()).body.length).toBe(body.length)
  await client.untilClosed()
})
