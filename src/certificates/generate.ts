import { createHash, generateKeyPair, type KeyObject, randomBytes, sign } from 'node:crypto'
import { promisify } from 'node:util'
import forge from 'node-forge'

const { asn1 } = forge

export interface CertificateRequest {
  /** DNS names, the first of which is the subject's; a wildcard covers one label. At least one. */
  readonly hosts: readonly string[]
  readonly now: Date
  readonly durationDays?: number
}

export interface IssuedKeyPair {
  /** Certificate in PEM. */
  readonly certificate: string
  /** Private key in PEM (PKCS #8). Never logged. */
  readonly key: string
}

const defaultDurationDays = 90

/** The certificate is valid a little before it is made, for clients whose clock is behind. */
const skewMs = 5 * 60_000

const dayMs = 24 * 3_600_000

/** Longest commonName that RFC 5280 allows (ub-common-name). */
const maxCommonNameLength = 64

const oids = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const

/**
 * A self-signed serving certificate with a new ECDSA P-256 key (RFC 5280). node-forge builds the structure only, for
 * it knows no elliptic curves: key and signature come from `node:crypto`.
 */
export async function generateSelfSigned(request: CertificateRequest): Promise<IssuedKeyPair> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  const body = tbsCertificate(request, publicKey)
  const signature = sign('sha256', bytes(body), privateKey)
  const certificate = sequence(body, algorithm(oids.ecdsaWithSha256), bitString(signature.toString('latin1')))
  return {
    certificate: pem('CERTIFICATE', bytes(certificate)),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  }
}

function tbsCertificate(request: CertificateRequest, publicKey: KeyObject): forge.asn1.Asn1 {
  const [commonName] = request.hosts
  if (commonName === undefined) throw new Error('generating a certificate: at least one host name is needed')
  const name = distinguishedName(commonName)
  const start = new Date(request.now.getTime() - skewMs)
  const end = new Date(request.now.getTime() + (request.durationDays ?? defaultDurationDays) * dayMs)
  const keyInfo = publicKey.export({ type: 'spki', format: 'der' })
  return sequence(
    explicit(0, integer('\x02')),
    integer(serialNumber()),
    algorithm(oids.ecdsaWithSha256),
    name,
    sequence(time(start), time(end)),
    name,
    asn1.fromDer(keyInfo.toString('latin1')),
    explicit(3, sequence(...extensions(request.hosts, keyIdentifier(keyInfo)))),
  )
}

function extensions(hosts: readonly string[], identifier: string): forge.asn1.Asn1[] {
  const names = hosts.map(host => contextPrimitive(2, host))
  return [
    extension(oids.basicConstraints, true, sequence()),
    // digitalSignature, the only use of an ECDSA key in TLS: seven unused bits.
    extension(oids.keyUsage, true, universal(asn1.Type.BITSTRING, '\x07\x80')),
    extension(oids.extendedKeyUsage, false, sequence(objectIdentifier(oids.serverAuth))),
    extension(oids.subjectKeyIdentifier, false, universal(asn1.Type.OCTETSTRING, identifier)),
    extension(oids.authorityKeyIdentifier, false, sequence(contextPrimitive(0, identifier))),
    extension(oids.subjectAltName, false, sequence(...names)),
  ]
}

/** 16 random bytes, positive and never with a leading zero (RFC 5280 section 4.1.2.2). */
function serialNumber(): string {
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  return serial.toString('latin1')
}

/** RFC 7093 method 1: the leftmost 160 bits of the SHA-256 of the key. */
function keyIdentifier(keyInfo: Buffer): string {
  // An uncompressed P-256 point is the last 65 bytes of its SubjectPublicKeyInfo.
  return createHash('sha256').update(keyInfo.subarray(-65)).digest().subarray(0, 20).toString('latin1')
}

function distinguishedName(host: string): forge.asn1.Asn1 {
  const commonName = host.length <= maxCommonNameLength ? host : 'ingress-fleet'
  return sequence(attribute(oids.organization, 'ingress-fleet'), attribute(oids.commonName, commonName))
}

function attribute(oid: string, value: string): forge.asn1.Asn1 {
  const pair = sequence(objectIdentifier(oid), universal(asn1.Type.UTF8, value))
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SET, true, [pair])
}

function extension(oid: string, critical: boolean, value: forge.asn1.Asn1): forge.asn1.Asn1 {
  const flag = critical ? [universal(asn1.Type.BOOLEAN, '\xff')] : []
  return sequence(objectIdentifier(oid), ...flag, universal(asn1.Type.OCTETSTRING, asn1.toDer(value).getBytes()))
}

/** UTCTime up to 2049, GeneralizedTime from 2050 (RFC 5280 section 4.1.2.5). */
function time(date: Date): forge.asn1.Asn1 {
  return date.getUTCFullYear() < 2050
    ? universal(asn1.Type.UTCTIME, asn1.dateToUtcTime(date))
    : universal(asn1.Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date))
}

function algorithm(oid: string): forge.asn1.Asn1 {
  return sequence(objectIdentifier(oid))
}

function sequence(...items: forge.asn1.Asn1[]): forge.asn1.Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, items)
}

function objectIdentifier(oid: string): forge.asn1.Asn1 {
  return universal(asn1.Type.OID, asn1.oidToDer(oid).getBytes())
}

function integer(content: string): forge.asn1.Asn1 {
  return universal(asn1.Type.INTEGER, content)
}

function bitString(content: string): forge.asn1.Asn1 {
  return universal(asn1.Type.BITSTRING, `\0${content}`)
}

function universal(type: forge.asn1.Type, content: string): forge.asn1.Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, type, false, content)
}

/** The meaning of a context-specific tag depends on where it stands; forge has one type for all tags. */
const contextTags: Readonly<Record<0 | 1 | 2 | 3, forge.asn1.Type>> = {
  0: asn1.Type.NONE,
  1: asn1.Type.BOOLEAN,
  2: asn1.Type.INTEGER,
  3: asn1.Type.BITSTRING,
}

function contextPrimitive(tag: keyof typeof contextTags, content: string): forge.asn1.Asn1 {
  return asn1.create(asn1.Class.CONTEXT_SPECIFIC, contextTags[tag], false, content)
}

function explicit(tag: keyof typeof contextTags, content: forge.asn1.Asn1): forge.asn1.Asn1 {
  return asn1.create(asn1.Class.CONTEXT_SPECIFIC, contextTags[tag], true, [content])
}

function bytes(structure: forge.asn1.Asn1): Buffer {
  return Buffer.from(asn1.toDer(structure).getBytes(), 'latin1')
}

function pem(type: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${type}-----`, ...lines, `-----END ${type}-----`, ''].join('\n')
}
