import { spawn } from 'node:child_process'
import type { ConnectionOptions } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { tlsProfiles } from '../../src/api/tls-profile.ts'
import { generateSelfSigned } from '../../src/certificates/generate.ts'
import type { Certificate } from '../../src/routing/model.ts'
import { host, InProcess } from '../proxy/in-process.ts'
import { RawBackend } from '../proxy/raw-backend.ts'
import { RawClient } from '../proxy/raw-client.ts'
import { testCertificate } from '../proxy/test-certificate.ts'

const rsa = testCertificate('test/rsa', 'rsa.test', ['rsa.test'])

let backend: RawBackend
let proxy: InProcess
let ecdsa: Certificate
let fallback: Certificate

async function ecdsaCertificate(id: string, name: string): Promise<Certificate> {
  return { id, ...(await generateSelfSigned({ hosts: [name], now: new Date() })) }
}

beforeAll(async () => {
  ecdsa = await ecdsaCertificate('test/ecdsa', 'ecdsa.test')
  fallback = await ecdsaCertificate('test/default', 'default.test')
  backend = await new RawBackend().start()
  proxy = await new InProcess().start({
    hosts: {
      'rsa.test': host('rsa.test', 'app', { tls: true, certificate: rsa.id }),
      'ecdsa.test': host('ecdsa.test', 'app', { tls: true, certificate: ecdsa.id }),
    },
    backends: { app: [backend.port] },
    certificates: [fallback, rsa, ecdsa],
    defaultCertificate: fallback.id,
  })
})

beforeEach(async () => {
  await proxy.publish({ settings: {}, certificates: [ecdsa] })
})

afterAll(async () => {
  await proxy.close()
  await backend.close()
})

async function connect(options: ConnectionOptions) {
  return RawClient.connectTls(proxy.httpsPort, { servername: 'ecdsa.test', ...options })
}

async function nameFor(options: ConnectionOptions): Promise<string> {
  const client = await connect(options)
  const name = client.socket.getPeerCertificate().subject.CN
  client.destroy()
  return String(name)
}

/** What the `openssl` program prints about a handshake. */
async function printed(...options: string[]): Promise<string> {
  const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${proxy.httpsPort}`, ...options])
  let text = ''
  for (const stream of [client.stdout, client.stderr]) {
    stream.on('data', (piece: Buffer) => {
      text += piece.toString()
    })
  }
  client.stdin.end('Q\n')
  await new Promise(resolve => {
    client.once('close', resolve)
  })
  return text
}

describe('certificates', () => {
  test.each([
    ['rsa.test', 'TLSv1.2'],
    ['rsa.test', 'TLSv1.3'],
    ['ecdsa.test', 'TLSv1.2'],
    ['ecdsa.test', 'TLSv1.3'],
  ] as const)('that of %s is served with %s, whatever algorithm the client prefers', async (servername, version) => {
    const only = { servername, minVersion: version, maxVersion: version } as const
    const algorithms = ['ecdsa_secp256r1_sha256', 'rsa_pss_rsae_sha256', 'rsa_pkcs1_sha256']
    expect(await nameFor({ ...only, sigalgs: algorithms.join(':') })).toBe(servername)
    expect(await nameFor({ ...only, sigalgs: algorithms.toReversed().join(':') })).toBe(servername)
  })

  test('the default one is served to who names an address, or nothing', async () => {
    expect(await printed('-servername', '127.0.0.1')).toContain('CN = default.test')
    expect(await printed('-noservername')).toContain('CN = default.test')
    expect(await printed('-servername', 'RSA.test.')).toContain('CN = rsa.test')
  })

  test('a hundred swaps under load fail no handshake and no request, and count from the next handshake on', async () => {
    const load = { running: true, handshakes: 0 }
    const failures: unknown[] = []
    const kept = await connect({})
    const clients = Array.from({ length: 3 }, async () => {
      while (load.running) {
        try {
          const client = await connect({})
          load.handshakes++
          for (let requests = 0; requests < 3; requests++) {
            client.get('ecdsa.test')
            expect((await client.response()).status).toBe(200)
          }
          client.destroy()
        } catch (error) {
          failures.push(error)
        }
      }
    })
    const versions = [await ecdsaCertificate(ecdsa.id, 'one.test'), await ecdsaCertificate(ecdsa.id, 'two.test')]
    for (let swaps = 0; swaps < 100; swaps++) {
      const next = versions[swaps % 2]
      await proxy.publish({ certificates: next === undefined ? [] : [next] })
      expect(await nameFor({})).toBe(swaps % 2 === 0 ? 'one.test' : 'two.test')
      kept.get('ecdsa.test')
      expect((await kept.response()).status).toBe(200)
    }
    load.running = false
    await Promise.all(clients)
    expect(failures).toEqual([])
    expect(load.handshakes).toBeGreaterThan(10)
    expect(kept.socket.getPeerCertificate().subject.CN).toBe('ecdsa.test')
    kept.destroy()
  })
})

describe('the profile', () => {
  test('applies from the next handshake on, and leaves what is open alone', async () => {
    const old = await connect({ maxVersion: 'TLSv1.2' })
    await proxy.publish({ settings: { tls: tlsProfiles.Modern } })
    await expect(connect({ maxVersion: 'TLSv1.2' })).rejects.toThrow(/version/)
    expect((await connect({})).socket.getProtocol()).toBe('TLSv1.3')
    old.get('ecdsa.test')
    expect((await old.response()).status).toBe(200)
    old.destroy()
  })

  test('Intermediate has no TLS 1.1 and no suite without forward secrecy', async () => {
    await expect(connect({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' })).rejects.toThrow(
      /protocol version/,
    )
    const weak = { servername: 'rsa.test', maxVersion: 'TLSv1.2' } as const
    await expect(connect({ ...weak, ciphers: 'AES128-GCM-SHA256' })).rejects.toThrow(/handshake failure/)
    await expect(connect({ ...weak, ciphers: 'ECDHE-RSA-AES128-SHA' })).rejects.toThrow(/handshake failure/)
  })

  test('Old has both', async () => {
    await proxy.publish({ settings: { tls: tlsProfiles.Old } })
    const client = await connect({ minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' })
    expect(client.socket.getProtocol()).toBe('TLSv1')
    expect(
      (await connect({ servername: 'rsa.test', maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' })).socket.getCipher().name,
    ).toBe('AES128-SHA')
  })

  test('a custom one is kept to, suites in the order of the server', async () => {
    const cipherSuites = ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384']
    await proxy.publish({ settings: { tls: { ...tlsProfiles.Intermediate, cipherSuites, curves: ['P-384'] } } })
    const client = await connect({ ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256' })
    expect(client.socket.getCipher().name).toBe('TLS_CHACHA20_POLY1305_SHA256')
    expect(client.socket.getEphemeralKeyInfo()).toMatchObject({ name: 'secp384r1' })
    await expect(connect({ ecdhCurve: 'X25519' })).rejects.toThrow(/handshake failure/)
  })
})

describe('the application protocol', () => {
  test.each([
    [['h2', 'http/1.1'], 'http/1.1'],
    [['http/1.1'], 'http/1.1'],
  ])('of those offered, %j, is %s', async (ALPNProtocols, chosen) => {
    expect((await connect({ ALPNProtocols })).socket.alpnProtocol).toBe(chosen)
  })

  test('need not be named', async () => {
    expect((await connect({ ALPNProtocols: [] })).socket.alpnProtocol).toBe(false)
  })

  test('is not there for a client that offers others only, which is told so', async () => {
    await expect(connect({ ALPNProtocols: ['h2'] })).rejects.toThrow(/no application protocol/)
  })
})

test('a client that closes its sending side after the request still gets the answer', async () => {
  const client = await connect({ allowHalfOpen: true } as ConnectionOptions)
  client.get('ecdsa.test')
  client.socket.end()
  expect((await client.response()).status).toBe(200)
  await client.untilClosed()
})

test('a flood of handshakes that go no further makes room for those that do', async () => {
  await proxy.publish({ settings: { limits: { maxHandshakes: 20 } } })
  const before = proxy.stats.tlsHandshakesDropped
  const silent: RawClient[] = []
  for (let served = 0; served < 20; served++) {
    for (let count = 0; count < 10; count++) {
      const client = await RawClient.connect(proxy.httpsPort)
      // Half of them say something, but never all.
      if (count % 2 === 0) client.send(Buffer.from('1603010200010001fc0303', 'hex'))
      silent.push(client)
    }
    const client = await connect({})
    client.get('ecdsa.test')
    expect((await client.response()).status).toBe(200)
    client.destroy()
  }
  await proxy.until(stats => stats.tlsHandshakesDropped >= before + 150)
  // The oldest were ended, the newest are still in their handshakes.
  await silent[0]?.untilClosed()
  expect(silent.at(-1)?.ended).toBe(false)
  for (const client of silent) client.destroy()
  expect(proxy.stats.workersLost).toBe(0)
})

test('a handshake must be done within the time for a request head, as it is now', async () => {
  const client = await RawClient.connect(proxy.httpsPort)
  await proxy.publish({ settings: { timeouts: { clientHeadMs: 100 } } })
  await client.untilClosed()
  expect(client.ended).toBe(true)
})
