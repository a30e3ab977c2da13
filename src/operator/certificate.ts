import type { Secret } from '../api/kubernetes.ts'
import { type IssuedKeyPair } from '../certificates/generate.ts'
import { type CertificateFacts, inspectKeyPair } from '../certificates/inspect.ts'
import type { CertificateVerdict } from './findings.ts'

/** Host of a generated certificate for which the spec names none. */
export const defaultHosts: readonly string[] = ['ingress.local']

/** A certificate that the operator made: serve it on, or make a new one. */
export type GeneratedDecision =
  | {
      readonly action: 'keep'
      readonly keyPair: IssuedKeyPair
      readonly facts: CertificateFacts
      readonly renewAt: Date
    }
  | { readonly action: 'issue'; readonly why: string }

/** Judges the Secret that a user refers to. */
export function judgeReferred(secretName: string, secret: Secret | undefined, now: Date): CertificateVerdict {
  if (secret === undefined) {
    const message = `Secret ${secretName} does not exist in this namespace; create it, of type kubernetes.io/tls`
    return { reason: 'CertificateNotFound', secretName, message }
  }
  const inspected = inspectKeyPair(decode(secret, 'tls.crt'), decode(secret, 'tls.key'), now)
  if (inspected.reason === undefined) return { reason: 'Valid', secretName, facts: inspected.facts }
  const { reason, facts, message } = inspected
  return {
    reason,
    secretName,
    facts,
    message: `Secret ${secretName}: ${message}; the last good pair goes on being served`,
  }
}

/** Keeps what a Secret of ours holds, while it is whole, names the wanted hosts and has a third of its life ahead. */
export function decideGenerated(secret: Secret | undefined, hosts: readonly string[], now: Date): GeneratedDecision {
  if (secret === undefined) return { action: 'issue', why: 'there is none' }
  const keyPair = { certificate: decode(secret, 'tls.crt'), key: decode(secret, 'tls.key') }
  const inspected = inspectKeyPair(keyPair.certificate, keyPair.key, now)
  if (inspected.reason !== undefined) return { action: 'issue', why: inspected.message }
  const { facts } = inspected
  const wanted = hosts.map(host => host.toLowerCase())
  if (wanted.length !== facts.hosts.length || wanted.some(host => !facts.hosts.includes(host))) {
    return { action: 'issue', why: 'the hosts of the spec changed' }
  }
  const renewAt = renewalTime(facts)
  return now >= renewAt
    ? { action: 'issue', why: 'it is time to renew it' }
    : { action: 'keep', keyPair, facts, renewAt }
}

/** When two thirds of the certificate's own lifetime are over. */
export function renewalTime({ notBefore, notAfter }: Pick<CertificateFacts, 'notBefore' | 'notAfter'>): Date {
  const [start, end] = [Date.parse(notBefore), Date.parse(notAfter)]
  return new Date(end - Math.floor((end - start) / 3))
}

function decode(secret: Secret, key: string): string {
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString()
}
