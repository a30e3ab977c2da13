import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { TlsParameters } from '../api/tls-profile.ts'
import type { Certificate, ClientCertificateRule } from '../routing/model.ts'

/** Contexts kept ready; the one used longest ago goes first. A context holds a parsed chain and key, some 100 KB. */
const maxContexts = 2_000

interface Entry {
  readonly of: Certificate
  readonly context: SecureContext | undefined
  /** The same certificate with the authorities of a rule, which clients are told of and judged by. */
  readonly byRule: WeakMap<ClientCertificateRule, SecureContext>
}

/**
 * TLS contexts by certificate, made when a handshake first asks for one. A certificate that changes is another object
 * with the same id: the next handshake gets its new context, connections that are open keep theirs. Versions, suites
 * and ticket keys are the listener's own: node:tls takes only certificate, key and authorities of such a context.
 */
export class SecureContexts {
  readonly #entries = new Map<string, Entry>()
  readonly #onRejected: (certificate: Certificate, error: unknown) => void

  constructor(onRejected: (certificate: Certificate, error: unknown) => void) {
    this.#onRejected = onRejected
  }

  /** Undefined when the certificate cannot be loaded: that is reported once, not per handshake. */
  of(certificate: Certificate, rule?: ClientCertificateRule): SecureContext | undefined {
    const known = this.#entries.get(certificate.id)
    this.#entries.delete(certificate.id)
    const entry =
      known?.of === certificate
        ? known
        : { of: certificate, context: this.#create(certificate, undefined), byRule: new WeakMap() }
    this.#entries.set(certificate.id, entry)
    if (this.#entries.size > maxContexts) {
      const [oldest] = this.#entries.keys()
      if (oldest !== undefined) this.#entries.delete(oldest)
    }
    return rule === undefined || entry.context === undefined ? entry.context : this.#withRule(entry, rule)
  }

  /** A removed certificate's key must not stay in memory. */
  forget(id: string): void {
    this.#entries.delete(id)
  }

  #withRule({ of, context, byRule }: Entry, rule: ClientCertificateRule): SecureContext | undefined {
    const known = byRule.get(rule)
    if (known !== undefined) return known
    // Without its authorities no certificate of a client is valid: the rule fails closed.
    const made = this.#create(of, rule) ?? context
    if (made !== undefined) byRule.set(rule, made)
    return made
  }

  #create(certificate: Certificate, rule: ClientCertificateRule | undefined): SecureContext | undefined {
    try {
      return createSecureContext({
        cert: certificate.certificate,
        key: certificate.key,
        ...(rule === undefined ? {} : { ca: rule.authorities }),
        ...(rule?.revocations === undefined ? {} : { crl: rule.revocations }),
      })
    } catch (error) {
      this.#onRejected(certificate, error)
      return undefined
    }
  }
}

/** The parameters in the words of node:tls; the server's order of suites counts. */
export function contextOptions({ minVersion, maxVersion, cipherSuites, curves }: TlsParameters): SecureContextOptions {
  // OpenSSL's usual level of security has no TLS 1.0 and 1.1.
  const level = minVersion < 'TLSv1.2' ? ['@SECLEVEL=0'] : []
  return {
    minVersion,
    maxVersion,
    ciphers: [...cipherSuites, ...level].join(':'),
    ecdhCurve: knownCurves(curves).join(':'),
    honorCipherOrder: true,
  }
}

/** Those that this Node's OpenSSL has; `auto` when it has none of them. */
function knownCurves(curves: readonly string[]): readonly string[] {
  const known = curves.filter(curve => {
    try {
      createSecureContext({ ecdhCurve: curve })
      return true
    } catch {
      return false
    }
  })
  return known.length === 0 ? ['auto'] : known
}
