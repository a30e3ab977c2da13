import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { normalizeHost } from '../routing/host-name.ts'
import type { ClientCertificateRule, CommonNames } from '../routing/model.ts'
import type { CertificateFault, ClientCertificateVerifier } from './client-certificate-verifier.ts'

/** `absent`, `invalid`: 400. `unwelcome`: valid, but of a name that is not let in. */
export type ClientCertificateVerdict = 'accepted' | 'absent' | 'invalid' | 'unwelcome'

/** A longer certificate would not fit into the head of a request. */
const maxCertificateBytes = 16_384

/** No host has such a name. */
const forgotten = '(forgotten)'

/** What a TLS connection says about its client. Made only for connections that ask a host with a rule. */
export class TlsClient {
  readonly #socket: TLSSocket
  #serverName: string | undefined
  #judgedBy: ClientCertificateRule | undefined
  #verdict: ClientCertificateVerdict = 'absent'
  #fields = ''

  constructor(socket: TLSSocket) {
    this.#socket = socket
  }

  /**
   * Did the client ask for this host (lower case, without trailing dot) when it connected? A session that is resumed
   * with TLS 1.2 has forgotten its server name: then the certificate alone is judged, which proves no less.
   */
  connectedTo(host: string): boolean {
    this.#serverName ??= this.#askedName()
    return this.#serverName === host || this.#serverName === forgotten
  }

  /** Field lines for the backend, as ingress-nginx sends them, of the last verdict. */
  get fields(): string {
    return this.#fields
  }

  /** Once a connection, and anew when the rule has become another. */
  judge(verifier: ClientCertificateVerifier, now: number): ClientCertificateVerdict {
    if (this.#judgedBy !== verifier.rule) this.#judge(verifier, now)
    return this.#verdict
  }

  #askedName(): string {
    const { servername } = this.#socket as { readonly servername?: string | false | null }
    if (typeof servername === 'string') return normalizeHost(servername)
    return this.#socket.isSessionReused() && this.#socket.getProtocol() !== 'TLSv1.3' ? forgotten : ''
  }

  #judge(verifier: ClientCertificateVerifier, now: number): void {
    const { rule } = verifier
    this.#judgedBy = rule
    const certificate = this.#socket.getPeerX509Certificate()
    if (certificate === undefined) {
      this.#verdict = rule.verify === 'on' ? 'absent' : 'accepted'
      this.#fields = 'ssl-client-verify: NONE\r\n'
      return
    }
    const fault = verifier.judge(certificate, handshakeFault(this.#socket), now)
    const isPassed = fault === undefined || verifier.isLeftToBackend(fault)
    const isTooLong = certificate.raw.length > maxCertificateBytes
    this.#fields = isPassed && !isTooLong ? fieldsOf(certificate, fault, rule.passCertificate) : ''
    if (!isPassed || isTooLong) this.#verdict = 'invalid'
    else this.#verdict = isWelcome(certificate, rule.commonNames) ? 'accepted' : 'unwelcome'
  }
}

/**
 * OpenSSL's verdict, kept by the session when it is resumed. node:tls gives it only where a server asks every client;
 * a Node whose handle has it no longer leaves every certificate invalid.
 */
function handshakeFault(socket: TLSSocket): CertificateFault | undefined {
  const { _handle: handle } = socket as unknown as {
    readonly _handle?: { readonly verifyError?: () => (Error & { readonly code?: string }) | null | undefined }
  }
  if (typeof handle?.verifyError !== 'function') return { code: 'UNSPECIFIED', message: 'certificate was not verified' }
  const error = handle.verifyError()
  if (error === null || error === undefined) return undefined
  // Node adds advice to some of OpenSSL's texts.
  return { code: error.code ?? 'UNSPECIFIED', message: error.message.replace(/;.*$/s, '') }
}

function isWelcome(certificate: X509Certificate, names: CommonNames | undefined): boolean {
  if (names === undefined) return true
  const { CN: found } = certificate.toLegacyObject().subject as { readonly CN?: string | readonly string[] }
  const commonNames = typeof found === 'string' ? [found] : (found ?? [])
  return commonNames.some(name => names.exact.includes(name) || names.prefixes.some(prefix => name.startsWith(prefix)))
}

function fieldsOf(certificate: X509Certificate, fault: CertificateFault | undefined, passCertificate: boolean): string {
  return (
    (passCertificate ? line('ssl-client-cert', encodeURIComponent(certificate.toString())) : '') +
    line('ssl-client-verify', fault === undefined ? 'SUCCESS' : `FAILED:${fault.message}`) +
    line('ssl-client-subject-dn', distinguishedName(certificate.subject)) +
    line('ssl-client-issuer-dn', distinguishedName(certificate.issuer))
  )
}

function line(name: string, value: string): string {
  return value === '' ? '' : `${name}: ${value}\r\n`
}

/** From Node's form, a line per attribute, to that of RFC 2253: the last first, octets outside ASCII as `\C3\A4`. */
function distinguishedName(lines: string | undefined): string {
  return (lines ?? '')
    .split('\n')
    .toReversed()
    .join(',')
    .replaceAll(/[^\x20-\x7e]/gu, character =>
      [...Buffer.from(character)].map(octet => `\\${octet.toString(16).padStart(2, '0').toUpperCase()}`).join(''),
    )
}
