import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'

/** What a certificate says of itself. */
export interface CertificateFacts {
  /** In hexadecimal, upper case. */
  readonly serialNumber: string
  /** SHA-256 of the DER, in lower-case hexadecimal. */
  readonly fingerprint: string
  /** RFC 3339. */
  readonly notBefore: string
  readonly notAfter: string
  /** DNS names of its subjectAltName, lower case. */
  readonly hosts: readonly string[]
  readonly subject: string
}

type KeyPairFault = 'MissingData' | 'InvalidCertificate' | 'InvalidKeyPair' | 'Expired' | 'NotYetValid'

/** `facts` come along with a fault where the certificate could be read. */
export type Inspected =
  | { readonly facts: CertificateFacts; readonly reason?: undefined }
  | { readonly facts?: CertificateFacts; readonly reason: KeyPairFault; readonly message: string }

const maxPemLength = 256 * 1024
const maxChainLength = 16
const maxHosts = 1000

/**
 * Checks a chain (leaf first) and its private key, both PEM text of a user. Only `node:crypto` reads them: it is
 * OpenSSL's parser, node-forge has none for elliptic curves and is slow on hostile input.
 */
export function inspectKeyPair(certificatePem: string, keyPem: string, now: Date): Inspected {
  const missing = missingData(certificatePem, keyPem)
  if (missing) return { reason: 'MissingData', message: missing }
  const chain = parseChain(certificatePem)
  if (typeof chain === 'string') return { reason: 'InvalidCertificate', message: chain }
  const facts = describe(chain)
  const key = parseKey(keyPem)
  if (typeof key === 'string') return { facts, reason: 'InvalidKeyPair', message: key }
  if (!chain.checkPrivateKey(key)) {
    const message = `the private key does not belong to the certificate of ${facts.subject}; put the pair of one certificate there, leaf first`
    return { facts, reason: 'InvalidKeyPair', message }
  }
  if (now < chain.validFromDate) {
    const message = `the certificate is valid from ${facts.notBefore} on; use one that is valid now`
    return { facts, reason: 'NotYetValid', message }
  }
  if (now > chain.validToDate) {
    return { facts, reason: 'Expired', message: `the certificate expired on ${facts.notAfter}; renew it` }
  }
  return { facts }
}

function missingData(certificatePem: string, keyPem: string): string | undefined {
  if (certificatePem.trim() === '') return 'tls.crt is missing or empty; put the certificate chain there, in PEM'
  if (keyPem.trim() === '') return 'tls.key is missing or empty; put the private key there, in PEM'
  if (Math.max(certificatePem.length, keyPem.length) <= maxPemLength) return undefined
  return `tls.crt and tls.key may have at most ${maxPemLength} characters each`
}

/** The leaf, when every certificate of the chain can be read; else what is wrong. */
function parseChain(text: string): X509Certificate | string {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) return 'tls.crt holds no certificate in PEM'
  if (blocks.length > maxChainLength) return `tls.crt may hold at most ${maxChainLength} certificates`
  let leaf: X509Certificate | undefined
  for (const [index, block] of blocks.entries()) {
    try {
      const certificate = new X509Certificate(block)
      leaf ??= certificate
    } catch {
      return `certificate ${index + 1} of ${blocks.length} in tls.crt can't be read as X.509`
    }
  }
  return leaf ?? 'tls.crt holds no certificate in PEM'
}

function parseKey(text: string): KeyObject | string {
  try {
    return createPrivateKey(text)
  } catch {
    // OpenSSL's own message is of no help to a person, and must not quote the key.
    return "tls.key can't be read as a private key; an unencrypted one in PEM is needed"
  }
}

function describe(certificate: X509Certificate): CertificateFacts {
  return {
    serialNumber: certificate.serialNumber,
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    notBefore: rfc3339(certificate.validFromDate),
    notAfter: rfc3339(certificate.validToDate),
    hosts: dnsNames(certificate.subjectAltName),
    subject: (certificate.subject ?? '').replaceAll('\n', ', '),
  }
}

/** `DNS:a.example, IP Address:192.0.2.1, DNS:"odd"`: quoted names hold special characters and are no host names. */
function dnsNames(subjectAltName: string | undefined): readonly string[] {
  return (subjectAltName ?? '')
    .split(', ')
    .flatMap(part => (part.startsWith('DNS:') && !part.includes('"') ? [part.slice(4).toLowerCase()] : []))
    .slice(0, maxHosts)
}

function rfc3339(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}
