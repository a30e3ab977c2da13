import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { Certificate } from '../routing/model.ts'

/** Contexts kept ready; the one used longest ago goes first. A context holds a parsed chain and key, some 100 KB. */
const maxContexts = 2_000

/** TLS 1.2 and 1.3 with ephemeral keys and authenticated encryption only; the server chooses. */
export const tlsOptions = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  honorCipherOrder: true,
} as const satisfies SecureContextOptions

/**
 * TLS contexts by certificate, made when a handshake first asks for one. A certificate that changes is another object
 * with the same id: the next handshake gets its new context, connections that are open keep theirs.
 */
export class SecureContexts {
  readonly #contexts = new Map<string, { readonly of: Certificate; readonly context: SecureContext | undefined }>()
  readonly #onRejected: (certificate: Certificate, error: unknown) => void

  constructor(onRejected: (certificate: Certificate, error: unknown) => void) {
    this.#onRejected = onRejected
  }

  /** Undefined when the certificate cannot be loaded: that is reported once, not per handshake. */
  of(certificate: Certificate): SecureContext | undefined {
    const known = this.#contexts.get(certificate.id)
    this.#contexts.delete(certificate.id)
    const entry = known?.of === certificate ? known : { of: certificate, context: this.#create(certificate) }
    this.#contexts.set(certificate.id, entry)
    if (this.#contexts.size > maxContexts) {
      const [oldest] = this.#contexts.keys()
      if (oldest !== undefined) this.#contexts.delete(oldest)
    }
    return entry.context
  }

  /** A removed certificate's key must not stay in memory. */
  forget(id: string): void {
    this.#contexts.delete(id)
  }

  #create(certificate: Certificate): SecureContext | undefined {
    try {
      return createSecureContext({ ...tlsOptions, cert: certificate.certificate, key: certificate.key })
    } catch (error) {
      this.#onRejected(certificate, error)
      return undefined
    }
  }
}
