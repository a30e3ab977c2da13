/** TLS versions by the names that OpenSSL and nginx give them; their order as texts is that of their age. */
export const tlsVersions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const

type TlsVersion = (typeof tlsVersions)[number]

/** What a TLS handshake may agree on. */
export interface TlsParameters {
  readonly minVersion: TlsVersion
  readonly maxVersion: TlsVersion
  /** OpenSSL names, the preferred one first; those of TLS 1.3 begin with `TLS_`. */
  readonly cipherSuites: readonly string[]
  /** Groups of the key exchange, the preferred one first. */
  readonly curves: readonly string[]
}

export const modernSuites = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
] as const

const intermediateSuites = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
] as const

const oldSuites = [
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA384',
  'ECDHE-RSA-AES256-SHA384',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA256',
  'AES256-SHA256',
  'AES128-SHA',
  'AES256-SHA',
] as const

/** Every suite that may be asked for. Those with finite-field DHE are not among them: they need parameters of their own. */
export const cipherSuites: readonly string[] = [...modernSuites, ...intermediateSuites, ...oldSuites]

export const curves: readonly string[] = ['X25519MLKEM768', 'X25519', 'P-256', 'P-384', 'P-521']

/** The hybrid with ML-KEM comes first: what is recorded today stays closed to the quantum computers of tomorrow. */
const usualCurves = ['X25519MLKEM768', 'X25519', 'P-256', 'P-384']

/** Mozilla's server side TLS guidelines, without their DHE suites: https://wiki.mozilla.org/Security/Server_Side_TLS */
export const tlsProfiles = {
  Modern: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', cipherSuites: modernSuites, curves: usualCurves },
  Intermediate: {
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    cipherSuites: [...modernSuites, ...intermediateSuites],
    curves: usualCurves,
  },
  Old: { minVersion: 'TLSv1', maxVersion: 'TLSv1.3', cipherSuites, curves: usualCurves },
} as const satisfies Record<string, TlsParameters>

/** What `spec.configuration.tls` says; what a custom profile leaves out is that of Intermediate. */
export function resolveTlsProfile(
  given: { readonly profile: keyof typeof tlsProfiles | 'Custom' } & { readonly [K in keyof TlsParameters]?: unknown },
): TlsParameters {
  if (given.profile !== 'Custom') return tlsProfiles[given.profile]
  const { profile: _profile, ...custom } = given
  return { ...tlsProfiles.Intermediate, ...(custom as Partial<TlsParameters>) }
}

/** Why no client could ever agree with these parameters, or one of the versions could not be used; for people. */
export function tlsFault({ minVersion, maxVersion, cipherSuites: suites }: TlsParameters): string | undefined {
  if (minVersion > maxVersion) return `the lowest version ${minVersion} is above the highest, ${maxVersion}`
  if (maxVersion === 'TLSv1.3' && !suites.some(isModernSuite))
    return 'TLSv1.3 needs a suite whose name begins with TLS_'
  if (minVersion < 'TLSv1.3' && suites.every(isModernSuite))
    return `${minVersion} needs a suite whose name does not begin with TLS_`
  if (minVersion < 'TLSv1.2' && !suites.some(suite => suite.endsWith('-SHA')))
    return `${minVersion} needs a suite whose name ends in -SHA`
  return undefined
}

export function isModernSuite(suite: string): boolean {
  return suite.startsWith('TLS_')
}
