import { cipherSuites, curves, modernSuites, type TlsParameters, tlsProfiles, tlsVersions } from '../api/tls-profile.ts'

/** How the TLS keys of the ingress-nginx ConfigMap are read; undefined is a text that is not allowed. */

export const tlsVersionsAllowed =
  'one or more of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3 without a gap, separated by spaces, as in "TLSv1.2 TLSv1.3"'

export function readTlsVersions(text: string): Pick<TlsParameters, 'minVersion' | 'maxVersion'> | undefined {
  const named = text.split(/\s+/)
  const found = tlsVersions.filter(version => named.includes(version))
  const [minVersion] = found
  const maxVersion = found.at(-1)
  if (minVersion === undefined || maxVersion === undefined || found.length < new Set(named).size) return undefined
  const isWithoutGap = tlsVersions.indexOf(maxVersion) - tlsVersions.indexOf(minVersion) === found.length - 1
  return isWithoutGap ? { minVersion, maxVersion } : undefined
}

export const tlsSuitesAllowed =
  'names of cipher suites, separated by colons, as in "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"; no expressions such as HIGH or !aNULL'

/** Suites with finite-field DHE are passed over, as nginx does without `ssl-dh-param`; so is OpenSSL's security level. */
export function readTlsSuites(text: string): Pick<TlsParameters, 'cipherSuites'> | undefined {
  const named = text.split(':').map(name => name.trim())
  const wanted = named.filter(name => !/^(DHE-[A-Z0-9-]+|@SECLEVEL=[0-5])$/.test(name))
  if (wanted.length === 0 || wanted.some(name => !cipherSuites.includes(name))) return undefined
  const older = wanted.filter(name => !name.startsWith('TLS_'))
  return older.length === 0 ? undefined : { cipherSuites: [...modernSuites, ...new Set(older)] }
}

export const tlsCurvesAllowed = `"auto", or one or more of ${curves.join(', ')}, separated by colons`

const otherNames: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp256r1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
  x25519: 'X25519',
}

export function readTlsCurves(text: string): Pick<TlsParameters, 'curves'> | undefined {
  if (text === 'auto') return { curves: tlsProfiles.Intermediate.curves }
  const named = text.split(':').map(name => otherNames[name.trim()] ?? name.trim())
  return named.every(name => curves.includes(name)) ? { curves: [...new Set(named)] } : undefined
}
