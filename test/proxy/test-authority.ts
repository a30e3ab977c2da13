import { generateKeyPairSync, sign } from 'node:crypto'
import forge from 'node-forge'

const { asn1, pki } = forge

// One key for all: only names and signatures tell the certificates apart, and keys of RSA take long to make.
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' })

export interface IssuedCertificate {
  readonly cert: string
  readonly key: string
  readonly serialNumber: string
}

interface IssueOptions {
  readonly isAuthority?: boolean
  readonly expired?: boolean
  readonly organization?: string
}

/** An authority for client certificates, with a key of its own. */
export class TestAuthority {
  readonly pem: string
  readonly #certificate: forge.pki.Certificate
  readonly #key: forge.pki.rsa.PrivateKey
  readonly #keyPem: string
  #serial = 1

  private constructor(certificate: forge.pki.Certificate, key: string) {
    this.#certificate = certificate
    this.pem = pki.certificateToPem(certificate)
    this.#keyPem = key
    this.#key = pki.privateKeyFromPem(key)
  }

  static root(name: string): TestAuthority {
    const key = newKey()
    const forgeKey = pki.privateKeyFromPem(key)
    const subject = [{ name: 'commonName', value: name }]
    const certificate = prepare({ subject, issuer: subject, serial: '01', isAuthority: true, expired: false })
    certificate.publicKey = pki.setRsaPublicKey(forgeKey.n, forgeKey.e)
    certificate.sign(forgeKey, forge.md.sha256.create())
    return new TestAuthority(certificate, key)
  }

  intermediate(name: string): TestAuthority {
    const key = newKey()
    return new TestAuthority(this.#issue(name, pki.privateKeyFromPem(key), { isAuthority: true }), key)
  }

  issue(commonName: string, options: IssueOptions = {}): IssuedCertificate {
    const certificate = this.#issue(commonName, pki.privateKeyFromPem(keyPem), options)
    return { cert: pki.certificateToPem(certificate), key: keyPem, serialNumber: certificate.serialNumber }
  }

  /** A revocation list in PEM, valid for a day. */
  revoke(...serialNumbers: readonly string[]): string {
    const algorithm = sequence(
      oid('1.2.840.113549.1.1.11'),
      asn1.create(asn1.Class.UNIVERSAL, asn1.Type.NULL, false, ''),
    )
    const entries = serialNumbers.map(serial => sequence(integer(serial), time(0)))
    const list = sequence(
      asn1.create(asn1.Class.UNIVERSAL, asn1.Type.INTEGER, false, '\x01'),
      algorithm,
      pki.distinguishedNameToAsn1(this.#certificate.subject),
      time(-1),
      time(1),
      ...(entries.length === 0 ? [] : [sequence(...entries)]),
    )
    const signature = sign('sha256', Buffer.from(asn1.toDer(list).getBytes(), 'latin1'), this.#keyPem)
    const whole = sequence(
      list,
      algorithm,
      asn1.create(asn1.Class.UNIVERSAL, asn1.Type.BITSTRING, false, `\0${signature.toString('latin1')}`),
    )
    const base64 = Buffer.from(asn1.toDer(whole).getBytes(), 'latin1').toString('base64')
    return `-----BEGIN X509 CRL-----\n${base64.replaceAll(/(.{64})/g, '$1\n')}\n-----END X509 CRL-----\n`
  }

  #issue(commonName: string, key: forge.pki.rsa.PrivateKey, options: IssueOptions): forge.pki.Certificate {
    this.#serial++
    const subject = [
      ...(options.organization === undefined
        ? []
        : [{ name: 'organizationName', value: options.organization, valueTagClass: asn1.Type.UTF8 as never }]),
      { name: 'commonName', value: commonName, valueTagClass: asn1.Type.UTF8 as never },
    ]
    const certificate = prepare({
      subject,
      issuer: this.#certificate.subject.attributes,
      serial: this.#serial.toString(16).padStart(2, '0'),
      isAuthority: options.isAuthority ?? false,
      expired: options.expired ?? false,
    })
    certificate.publicKey = pki.setRsaPublicKey(key.n, key.e)
    certificate.sign(this.#key, forge.md.sha256.create())
    return certificate
  }
}

function prepare(draft: {
  readonly subject: forge.pki.CertificateField[]
  readonly issuer: forge.pki.CertificateField[]
  readonly serial: string
  readonly isAuthority: boolean
  readonly expired: boolean
}): forge.pki.Certificate {
  const certificate = pki.createCertificate()
  certificate.serialNumber = draft.serial
  certificate.validity.notBefore = new Date(Date.now() - 2 * 86_400_000)
  certificate.validity.notAfter = new Date(Date.now() + (draft.expired ? -1 : 1) * 86_400_000)
  certificate.setSubject(draft.subject)
  certificate.setIssuer(draft.issuer)
  certificate.setExtensions([
    { name: 'basicConstraints', cA: draft.isAuthority },
    ...(draft.isAuthority ? [{ name: 'keyUsage', keyCertSign: true, cRLSign: true }] : []),
  ])
  return certificate
}

function newKey(): string {
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' })
}

function sequence(...items: forge.asn1.Asn1[]): forge.asn1.Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, items)
}

function oid(text: string): forge.asn1.Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.OID, false, asn1.oidToDer(text).getBytes())
}

function integer(hexadecimal: string): forge.asn1.Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.INTEGER, false, forge.util.hexToBytes(hexadecimal))
}

function time(days: number): forge.asn1.Asn1 {
  const date = new Date(Date.now() + days * 86_400_000)
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.UTCTIME, false, asn1.dateToUtcTime(date))
}
