import type { Secret } from '../api/kubernetes.ts'
import type { Certificate } from './model.ts'

/** Result of checking a certificate chain and its private key, both PEM. `hosts` are the names it is valid for. */
type KeyPairCheck =
  | {
      readonly ok: true
      readonly hosts: readonly string[]
      /** RFC 3339. */
      readonly notAfter: string
      /** Served, but clients will not trust it: it expired, say. */
      readonly warning?: string
      /** Reason of the problem that the warning becomes; `Expired` when absent. */
      readonly warningReason?: string
    }
  | { readonly ok: false; readonly reason: string; readonly message: string }

export type CheckKeyPair = (certificatePem: string, keyPem: string) => KeyPairCheck

interface UsableCertificate {
  readonly certificate: Certificate
  readonly hosts: ReadonlySet<string>
}

export interface SecretState {
  /** The newest good pair, which may be older than the Secret is now. */
  readonly usable: UsableCertificate | undefined
  /** What is wrong with the Secret as it is now. */
  readonly fault: { readonly reason: string; readonly message: string } | undefined
}

interface Entry {
  readonly state: SecretState
  /** The texts that were judged, so that an unchanged Secret is not judged again. */
  readonly judged: KeyPair | undefined
}

interface KeyPair {
  readonly certificate: string
  readonly key: string
}

/**
 * The certificates of the Secrets that are referred to. A version that can't be used leaves the last good one in
 * service; a Secret that is deleted takes it along, unless it is the default certificate.
 */
export class CertificateBook {
  readonly #entries = new Map<string, Entry>()

  get(secretKey: string): SecretState | undefined {
    return this.#entries.get(secretKey)?.state
  }

  forget(secretKey: string): void {
    this.#entries.delete(secretKey)
  }

  evaluate(
    secretKey: string,
    secret: Secret | undefined,
    options: { readonly check: CheckKeyPair; readonly keepDeleted: boolean; readonly recheck: boolean },
  ): SecretState {
    const before = this.#entries.get(secretKey)
    const entry = evaluate(secretKey, secret, { ...options, before })
    this.#entries.set(secretKey, entry)
    return entry.state
  }
}

function evaluate(
  id: string,
  secret: Secret | undefined,
  context: Parameters<CertificateBook['evaluate']>[2] & { readonly before: Entry | undefined },
): Entry {
  const { before, check, keepDeleted, recheck } = context
  const lastGood = before?.state.usable
  if (secret === undefined) {
    const message = `there is no Secret ${id}, or it can't be read here: create it, of type kubernetes.io/tls`
    return {
      state: { usable: keepDeleted ? lastGood : undefined, fault: { reason: 'SecretNotFound', message } },
      judged: undefined,
    }
  }
  const pair = readPair(secret)
  if (pair === undefined) {
    const message = `Secret ${id} has no certificate: it must be of type kubernetes.io/tls, with a chain in tls.crt and its private key in tls.key, both in PEM`
    return { state: { usable: lastGood, fault: { reason: 'InvalidKeyPair', message } }, judged: undefined }
  }
  const { judged } = before ?? {}
  if (before !== undefined && !recheck && judged?.certificate === pair.certificate && judged.key === pair.key)
    return before
  return { state: judge(id, pair, { check, lastGood }), judged: pair }
}

function judge(
  id: string,
  pair: KeyPair,
  { check, lastGood }: { check: CheckKeyPair; lastGood: UsableCertificate | undefined },
): SecretState {
  const result = check(pair.certificate, pair.key)
  if (!result.ok) {
    return {
      usable: lastGood,
      fault: { reason: result.reason, message: `Secret ${id} can't be used: ${result.message}` },
    }
  }
  const hosts = new Set(result.hosts.map(host => host.toLowerCase()))
  const { warning, warningReason = 'Expired' } = result
  const fault =
    warning === undefined ? undefined : { reason: warningReason, message: `Secret ${id} is served, but: ${warning}` }
  return { usable: { certificate: { id, ...pair }, hosts }, fault }
}

function readPair(secret: Secret): KeyPair | undefined {
  const certificate = readText(secret, 'tls.crt')
  const key = readText(secret, 'tls.key')
  return certificate === undefined || key === undefined ? undefined : { certificate, key }
}

/** A key of a Secret as text; undefined where it is missing, empty or no base64. */
export function readText(secret: Secret, name: string): string | undefined {
  const plain = secret.stringData?.[name]
  if (plain !== undefined) return plain === '' ? undefined : plain
  const encoded = secret.data?.[name]
  if (typeof encoded !== 'string' || encoded === '') return undefined
  try {
    return atob(encoded)
  } catch {
    // Not base64: as broken as a key pair that can't be read.
    return undefined
  }
}
