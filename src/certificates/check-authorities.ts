import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'

const maxPemLength = 256 * 1024
const maxAuthorities = 100

/**
 * A check for `TranslatorOptions.checkAuthorities`: what is wrong with authorities of client certificates and their
 * revocation lists, both PEM text of a user; undefined when they can be used.
 */
export function checkAuthorities(authoritiesPem: string, revocationsPem: string | undefined): string | undefined {
  if (authoritiesPem.length > maxPemLength || (revocationsPem ?? '').length > 4 * maxPemLength)
    return `ca.crt may have at most ${maxPemLength} characters, ca.crl four times as many`
  const blocks = authoritiesPem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) return 'ca.crt holds no certificate in PEM'
  if (blocks.length > maxAuthorities) return `ca.crt may hold at most ${maxAuthorities} certificates`
  let hasRoot = false
  for (const [index, block] of blocks.entries()) {
    const certificate = parse(block)
    if (certificate === undefined)
      return `certificate ${index + 1} of ${blocks.length} in ca.crt can't be read as X.509`
    hasRoot ||= certificate.checkIssued(certificate)
  }
  if (!hasRoot) return 'ca.crt must hold every authority up to one that signed itself, and holds none of the latter'
  return revocationsPem === undefined || canLoad(revocationsPem)
    ? undefined
    : "ca.crl can't be read as revocation lists in PEM"
}

function parse(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block)
  } catch {
    return undefined
  }
}

function canLoad(revocationsPem: string): boolean {
  try {
    createSecureContext({ crl: revocationsPem })
    return true
  } catch {
    return false
  }
}
