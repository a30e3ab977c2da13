import { generateKeyPairSync } from 'node:crypto'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { createKeyPairCheck } from '../../src/certificates/check-key-pair.ts'
import { generateSelfSigned, type IssuedKeyPair } from '../../src/certificates/generate.ts'
import { inspectKeyPair } from '../../src/certificates/inspect.ts'
import { dayMs, now } from './key-pairs.ts'

let pair: IssuedKeyPair
let other: IssuedKeyPair

beforeAll(async () => {
  pair = await generateSelfSigned({ hosts: ['A.example', '*.b.example'], now })
  other = await generateSelfSigned({ hosts: ['a.example'], now })
})

describe('the look at a key pair', () => {
  it('gives the facts of a good one', () => {
    const { facts, reason } = inspectKeyPair(pair.certificate, pair.key, now)
    expect(reason).toBeUndefined()
    expect(facts).toMatchObject({
      notBefore: '2026-06-01T11:55:00Z',
      notAfter: '2026-08-30T12:00:00Z',
      hosts: ['a.example', '*.b.example'],
      subject: 'O=ingress-fleet, CN=A.example',
    })
    expect(facts?.fingerprint).toMatch(/^[0-9a-f]{64}$/)
    expect(facts?.serialNumber).toMatch(/^[0-9A-F]{32}$/)
  })

  it('takes a chain, whose first certificate is the one', () => {
    const chain = `${pair.certificate}\n${other.certificate}`
    expect(inspectKeyPair(chain, pair.key, now).facts?.hosts).toEqual(['a.example', '*.b.example'])
    expect(inspectKeyPair(chain, other.key, now).reason).toBe('InvalidKeyPair')
  })

  it('takes an RSA key for a key, though not this one', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const key = privateKey.export({ type: 'pkcs1', format: 'pem' })
    expect(inspectKeyPair(pair.certificate, key, now).reason).toBe('InvalidKeyPair')
  })

  it.each([
    ['a missing certificate', () => ['', pair.key], 'MissingData', 'tls.crt'],
    ['a missing key', () => [pair.certificate, ' \n'], 'MissingData', 'tls.key'],
    [
      'a certificate without end',
      () => [`${pair.certificate}${'x'.repeat(300_000)}`, pair.key],
      'MissingData',
      'at most',
    ],
    ['no PEM', () => ['certificate', pair.key], 'InvalidCertificate', 'no certificate in PEM'],
    [
      'a broken certificate',
      () => [pair.certificate.replace('MII', 'AAA'), pair.key],
      'InvalidCertificate',
      'certificate 1 of 1',
    ],
    [
      'a broken one in the chain',
      () => [pair.certificate + other.certificate.replace('MII', 'AAA'), pair.key],
      'InvalidCertificate',
      'certificate 2 of 2',
    ],
    ['a chain without end', () => [pair.certificate.repeat(17), pair.key], 'InvalidCertificate', 'at most 16'],
    ['a broken key', () => [pair.certificate, pair.key.replace('MIG', 'AAA')], 'InvalidKeyPair', "can't be read"],
    ['a certificate for a key', () => [pair.certificate, pair.certificate], 'InvalidKeyPair', "can't be read"],
    ['the key of another certificate', () => [pair.certificate, other.key], 'InvalidKeyPair', 'does not belong'],
  ] satisfies readonly (readonly [string, () => readonly [string, string], string, string])[])(
    'finds %s',
    (_name, given, reason, message) => {
      const [certificate, key] = given()
      const inspected = inspectKeyPair(certificate, key, now)
      expect(inspected).toMatchObject({ reason, message: expect.stringContaining(message) as string })
    },
  )

  it('tells a certificate of the past from one of the future, to the second', () => {
    const at = (ms: number) => inspectKeyPair(pair.certificate, pair.key, new Date(now.getTime() + ms)).reason
    expect(at(90 * dayMs)).toBeUndefined()
    expect(at(90 * dayMs + 1000)).toBe('Expired')
    expect(at(-300_000)).toBeUndefined()
    expect(at(-301_000)).toBe('NotYetValid')
  })

  it('never throws and never quotes the key, whatever it is given', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.constant('').map(() => pair.certificate),
      fc.constant('').map(() => pair.key),
    )
    fc.assert(
      fc.property(text, text, (certificate, key) => {
        const inspected = inspectKeyPair(certificate, key, now)
        const message = inspected.reason === undefined ? '' : inspected.message
        expect(message.length).toBeLessThan(500)
        expect(message).not.toContain('PRIVATE')
      }),
      { numRuns: 300 },
    )
  })
})

describe('the check for the routing engine', () => {
  const check = (ms: number) => createKeyPairCheck(() => new Date(now.getTime() + ms))

  it('takes a good pair with its hosts', () => {
    const result = check(0)(pair.certificate, pair.key)
    expect(result).toEqual({ ok: true, hosts: ['a.example', '*.b.example'], notAfter: '2026-08-30T12:00:00Z' })
  })

  it('serves an expired pair with a warning', () => {
    expect(check(100 * dayMs)(pair.certificate, pair.key)).toMatchObject({ ok: true, warningReason: 'Expired' })
  })

  it('refuses a pair that does not belong together, expired or not', () => {
    for (const ms of [0, 100 * dayMs]) {
      expect(check(ms)(pair.certificate, other.key)).toMatchObject({ ok: false, reason: 'InvalidKeyPair' })
    }
  })
})
