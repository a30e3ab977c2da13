import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { afterAll, describe, expect, it } from 'vitest'
import { generateSelfSigned } from '../../src/certificates/generate.ts'
import { dayMs, hasOpenssl, now } from './key-pairs.ts'

describe('a generated certificate', () => {
  it('is for the hosts asked for, from a little before now, for 90 days', async () => {
    const { certificate } = await generateSelfSigned({ hosts: ['ingress.local', '*.shop.example'], now })
    const parsed = new X509Certificate(certificate)
    expect(parsed.subjectAltName).toBe('DNS:ingress.local, DNS:*.shop.example')
    expect(parsed.validFromDate).toEqual(new Date(now.getTime() - 300_000))
    expect(parsed.validToDate).toEqual(new Date(now.getTime() + 90 * dayMs))
    expect(parsed.checkHost('a.shop.example')).toBe('*.shop.example')
    expect(parsed.checkHost('a.b.shop.example')).toBeUndefined()
  })

  it('is no authority, serves only, and is signed with its own P-256 key', async () => {
    const { certificate, key } = await generateSelfSigned({ hosts: ['a.example'], now })
    const parsed = new X509Certificate(certificate)
    expect(parsed.ca).toBe(false)
    expect(parsed.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(parsed.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
    expect(parsed.verify(parsed.publicKey)).toBe(true)
    expect(key).toContain('BEGIN PRIVATE KEY')
  })

  it('has another positive serial number of 16 bytes and another key each time', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => generateSelfSigned({ hosts: ['a.example'], now })))
    const serials = made.map(({ certificate }) => new X509Certificate(certificate).serialNumber)
    expect(new Set(serials).size).toBe(20)
    expect(new Set(made.map(({ key }) => key)).size).toBe(20)
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/)
  })

  it('keeps a name that is too long for a subject in its list of hosts', async () => {
    const host = `${'a'.repeat(60)}.${'b'.repeat(60)}.example`
    const parsed = new X509Certificate((await generateSelfSigned({ hosts: [host], now })).certificate)
    expect(parsed.subject).toBe('O=ingress-fleet\nCN=ingress-fleet')
    expect(parsed.checkHost(host)).toBe(host)
  })

  it('may end after 2049, where times are written differently', async () => {
    const { certificate } = await generateSelfSigned({ hosts: ['a.example'], now, durationDays: 36_500 })
    expect(new X509Certificate(certificate).validToDate).toEqual(new Date(now.getTime() + 36_500 * dayMs))
  })

  it('needs a host', async () => {
    await expect(generateSelfSigned({ hosts: [], now })).rejects.toThrow('at least one host name')
  })

  it('makes a TLS connection that a client who trusts it verifies', async () => {
    const { certificate, key } = await generateSelfSigned({ hosts: ['a.example'], now: new Date() })
    const server = createServer({ cert: certificate, key }, socket => socket.end())
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const socket = await new Promise<TLSSocket>((resolve, reject) => {
      const client = connect({ port, host: '127.0.0.1', ca: certificate, servername: 'a.example' }, () =>
        resolve(client),
      )
      client.once('error', reject)
    })
    expect(socket.authorized).toBe(true)
    socket.destroy()
    await new Promise(resolve => server.close(resolve))
  })
})

describe.skipIf(!hasOpenssl())('openssl (skipped where it is not installed)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingress-fleet-certificates-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('verifies a generated certificate strictly and reads its extensions', async () => {
    const file = join(folder, 'certificate.pem')
    const { certificate } = await generateSelfSigned({ hosts: ['a.example'], now: new Date() })
    writeFileSync(file, certificate)
    const verified = execFileSync('openssl', [
      'verify',
      '-purpose',
      'sslserver',
      '-verify_hostname',
      'a.example',
      '-CAfile',
      file,
      file,
    ])
    expect(verified.toString()).toContain('OK')
    const text = execFileSync('openssl', ['x509', '-in', file, '-noout', '-text']).toString()
    for (const part of [
      'CA:FALSE',
      'Digital Signature',
      'TLS Web Server Authentication',
      'Subject Key Identifier',
      'Authority Key Identifier',
      'Version: 3',
    ]) {
      expect(text).toContain(part)
    }
  })
})
