import type { TlsParameters } from '../api/tls-profile.ts'
import type { Certificate } from '../routing/model.ts'
import type { TlsServing } from './listeners.ts'

/** What all handshakes have in common, with the certificate by its name. */
interface CertifiedServing extends TlsServing {
  readonly certificate: Certificate | undefined
}

interface ServedTlsOptions {
  /** What the listeners begin with; known to load. */
  readonly initial: TlsServing
  /** From the next handshake on. Throws when one of its parts cannot be loaded, and then changes nothing. */
  readonly serve: (tls: TlsServing) => void
  readonly onCertificateRejected: (certificate: Certificate | undefined, error: string) => void
  readonly onParametersRejected: (parameters: TlsParameters, error: string) => void
}

/**
 * The default certificate and the parameters that a worker serves: the newest of each that could be loaded. One that
 * cannot is told of once, and does not hold up the other.
 */
export class ServedTls {
  readonly #options: ServedTlsOptions
  #served: CertifiedServing
  /** The newest ones, whether they could be loaded or not. */
  #judgedCertificate: Certificate | undefined
  #judgedParameters: TlsParameters

  constructor(options: ServedTlsOptions) {
    this.#options = options
    this.#served = { ...options.initial, certificate: undefined }
    this.#judgedParameters = options.initial.parameters
  }

  /** The newest default certificate that could be loaded. */
  get certificate(): Certificate | undefined {
    return this.#served.certificate
  }

  /** Applies what has changed. Without a certificate the one before stays. */
  use(newest: Certificate | undefined, parameters: TlsParameters, sessionContext: string): void {
    const served = this.#served
    const isJudged = newest === undefined || newest === this.#judgedCertificate
    const areJudged = parameters === this.#judgedParameters
    if (isJudged && areJudged && sessionContext === served.sessionContext) return
    this.#judgedCertificate = newest ?? this.#judgedCertificate
    this.#judgedParameters = parameters
    this.#serve({
      certificate: isJudged ? served.certificate : newest,
      parameters: areJudged ? served.parameters : parameters,
      sessionContext,
    })
  }

  /** All of it; else without what is to blame, which is found by trying each part with the other one of before. */
  #serve(wanted: CertifiedServing): void {
    const { certificate, parameters } = this.#served
    const error = this.#load(wanted)
    if (error === undefined) return
    const withoutCertificate = this.#load({ ...wanted, certificate })
    if (withoutCertificate === undefined) return this.#options.onCertificateRejected(wanted.certificate, error)
    const withoutParameters = this.#load({ ...wanted, parameters })
    if (withoutParameters !== undefined) {
      this.#options.serve({ ...wanted, certificate, parameters })
      this.#served = { ...wanted, certificate, parameters }
      this.#options.onCertificateRejected(wanted.certificate, withoutParameters)
    }
    this.#options.onParametersRejected(wanted.parameters, withoutCertificate)
  }

  /** Why it could not be loaded. */
  #load(tls: CertifiedServing): string | undefined {
    try {
      this.#options.serve(tls)
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
    this.#served = tls
    return undefined
  }
}
