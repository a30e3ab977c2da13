import { X509Certificate } from 'node:crypto'
import type { ClientCertificateRule } from '../routing/model.ts'
import { Revocations } from './revocations.ts'

/** Why a certificate is not valid: OpenSSL's code, and its words for it. */
export interface CertificateFault {
  readonly code: string
  readonly message: string
}

const maxAuthorities = 100

/** Steps of one search for a path: authorities that sign each other must not make it long. */
const maxSteps = 200

/** Faults that leave it to the backend with `optional_no_ca`, as nginx has them. */
const faultsOfAuthority: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/**
 * Judges client certificates by one rule as it is now, by what the rule holds alone. OpenSSL judges only in a full
 * handshake, by the rule of that time: a session that is resumed later, here or at another replica, brings nothing but
 * the client's certificate. So every authority up to a self-signed one must be in the rule, also where a client sends
 * authorities of its own along.
 */
export class ClientCertificateVerifier {
  readonly rule: ClientCertificateRule
  #authorities: readonly X509Certificate[] | undefined
  #revocations: Revocations | undefined
  #steps = 0

  constructor(rule: ClientCertificateRule) {
    this.rule = rule
  }

  /** `handshake` is what OpenSSL found; undefined is a valid certificate. */
  judge(
    certificate: X509Certificate,
    handshake: CertificateFault | undefined,
    now: number,
  ): CertificateFault | undefined {
    if (handshake !== undefined) return handshake
    const untimely = faultOfTime(certificate, now)
    if (untimely !== undefined) return untimely
    if (this.#isRevoked(certificate)) return { code: 'CERT_REVOKED', message: 'certificate revoked' }
    this.#steps = 0
    if (this.#leadsToRoot(certificate, { depth: 0, now })) return undefined
    return { code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', message: 'unable to get local issuer certificate' }
  }

  /** The request goes on all the same, and the backend is told. */
  isLeftToBackend({ code }: CertificateFault): boolean {
    return this.rule.verify === 'optional_no_ca' && faultsOfAuthority.has(code)
  }

  #leadsToRoot(certificate: X509Certificate, at: { readonly depth: number; readonly now: number }): boolean {
    this.#authorities ??= readAuthorities(this.rule.authorities)
    for (const authority of this.#authorities) {
      if (++this.#steps > maxSteps) return false
      if (authority.fingerprint256 === certificate.fingerprint256 && isSelfSigned(authority)) return true
      if (!isIssuedBy(certificate, authority) || faultOfTime(authority, at.now) !== undefined) continue
      if (isSelfSigned(authority)) return true
      if (!authority.ca || this.#isRevoked(authority) || at.depth >= this.rule.maxDepth) continue
      if (this.#leadsToRoot(authority, { depth: at.depth + 1, now: at.now })) return true
    }
    return false
  }

  #isRevoked(certificate: X509Certificate): boolean {
    if (this.rule.revocations === undefined) return false
    this.#revocations ??= new Revocations(this.rule.revocations)
    return this.#revocations.has(certificate)
  }
}

function readAuthorities(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  return blocks.slice(0, maxAuthorities).flatMap(block => {
    try {
      return [new X509Certificate(block)]
    } catch {
      // One authority less: that shuts out, and was told of when the Secret was read.
      return []
    }
  })
}

function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && isIssuedBy(certificate, certificate)
}

function faultOfTime({ validFromDate, validToDate }: X509Certificate, now: number): CertificateFault | undefined {
  if (now < validFromDate.getTime()) return { code: 'CERT_NOT_YET_VALID', message: 'certificate is not yet valid' }
  if (now > validToDate.getTime()) return { code: 'CERT_HAS_EXPIRED', message: 'certificate has expired' }
  return undefined
}
