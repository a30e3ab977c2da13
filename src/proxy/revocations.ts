import type { X509Certificate } from 'node:crypto'
import { type DerElement, derBytes, derChildren, derContent, derTags, readDer } from './der.ts'

/**
 * What the revocation lists of a rule say (RFC 5280 section 5.1). OpenSSL has them for the handshake, where it judges
 * their signatures and times; this is for sessions that are resumed and connections that stay open when a new list
 * comes. It can only shut out.
 */
export class Revocations {
  /** Issuer and serial number, in hexadecimal. */
  readonly #revoked = new Set<string>()

  constructor(pem: string) {
    for (const [, base64 = ''] of pem.matchAll(/-----BEGIN X509 CRL-----([^-]*)-----END X509 CRL-----/g)) {
      this.#take(readDer(Buffer.from(base64, 'base64')))
    }
  }

  has(certificate: X509Certificate): boolean {
    if (this.#revoked.size === 0) return false
    const name = nameOf(certificate)
    return name !== undefined && this.#revoked.has(name)
  }

  #take(list: DerElement | undefined): void {
    const toBeSigned = list && first(list)
    if (toBeSigned === undefined) return
    const parts = [...derChildren(toBeSigned)]
    // An optional version; then algorithm, issuer, one or two times, and the entries where there are any.
    const from = parts[0]?.tag === derTags.integer ? 1 : 0
    const issuer = parts[from + 1]
    const entries = parts.slice(from + 2).find(({ tag }) => tag === derTags.sequence)
    if (issuer === undefined || entries === undefined) return
    for (const entry of derChildren(entries)) {
      const serial = first(entry)
      if (serial !== undefined) this.#revoked.add(join(issuer, serial))
    }
  }
}

function nameOf({ raw }: X509Certificate): string | undefined {
  const certificate = readDer(raw)
  const toBeSigned = certificate && first(certificate)
  if (toBeSigned === undefined) return undefined
  // An optional version, then serial number, algorithm, issuer.
  const parts = [...derChildren(toBeSigned)]
  const from = parts[0]?.tag === derTags.integer ? 0 : 1
  const [serial, , issuer] = parts.slice(from)
  return serial === undefined || issuer === undefined ? undefined : join(issuer, serial)
}

function first(element: DerElement): DerElement | undefined {
  const [child] = derChildren(element)
  return child
}

function join(issuer: DerElement, serial: DerElement): string {
  return `${derBytes(issuer).toString('hex')} ${derContent(serial).toString('hex')}`
}
