import type { Secret } from '../api/kubernetes.ts'
import type { Problem } from '../api/problem.ts'
import type { AnnotationOptions } from './annotations.ts'
import { readText } from './certificate-book.ts'
import type { ClientCertificateRule } from './model.ts'
import { objectKey } from './snapshot.ts'

/** What the `auth-tls-*` annotations of one Ingress ask for, for all of its hosts. */
export interface DeclaredClientCertificates {
  /** `namespace/name` of the Secret with the authorities. */
  readonly secret: string
  /** The annotation that names it. */
  readonly field: string
  readonly rule: Omit<ClientCertificateRule, 'authorities' | 'revocations'>
}

type Fault = Pick<Problem, 'field' | 'reason' | 'message'>

/** Undefined where nothing is asked for; a fault where it cannot be had, and nothing may be served instead. */
export function readClientCertificates(
  options: AnnotationOptions,
  { namespace, prefix }: { readonly namespace: string; readonly prefix: string },
): DeclaredClientCertificates | Fault | undefined {
  const { authTlsSecret: named, authTlsVerifyClient: verify = 'on', authTlsMatchCn: commonNames } = options
  if (verify === 'off' && commonNames === undefined) return undefined
  const field = `metadata.annotations[${prefix}/auth-tls-secret]`
  const refused = 'so the routes of this Ingress answer 503'
  if (named === undefined) {
    if (options.authTlsVerifyClient === undefined && commonNames === undefined) return undefined
    const message = `auth-tls-verify-client and auth-tls-match-cn ask for client certificates without the authorities that issue them, ${refused}: set auth-tls-secret to a Secret with ca.crt`
    return { field, reason: 'InvalidAnnotation', message }
  }
  if (verify === 'off') {
    const message = `auth-tls-match-cn lets in names of certificates that auth-tls-verify-client does not ask for, ${refused}: set auth-tls-verify-client to "on", or remove auth-tls-match-cn`
    return { field, reason: 'InvalidAnnotation', message }
  }
  if (named.namespace !== namespace) {
    const message = `Secret ${named.namespace}/${named.name} of auth-tls-secret is in another namespace, ${refused}: name one of namespace ${namespace}`
    return { field, reason: 'InvalidAnnotation', message }
  }
  return {
    secret: objectKey(named.namespace, named.name),
    field,
    rule: {
      verify,
      maxDepth: options.authTlsVerifyDepth ?? 1,
      passCertificate: options.authTlsPassCertificate ?? false,
      ...(commonNames === undefined ? {} : { commonNames }),
    },
  }
}

/** Judges authorities and revocation lists, both PEM; undefined when they can be used. */
export type CheckAuthorities = (authoritiesPem: string, revocationsPem: string | undefined) => string | undefined

/** The authorities of a Secret as it is now: an older version is never kept, for it may have let in others. */
export type AuthorityState =
  | { readonly authorities: string; readonly revocations?: string; readonly fault?: undefined }
  | { readonly fault: { readonly reason: string; readonly message: string } }

export function readAuthorities(id: string, secret: Secret | undefined, check: CheckAuthorities): AuthorityState {
  const refused = 'the routes that ask for client certificates by it answer 503'
  if (secret === undefined) {
    const message = `there is no Secret ${id}, or it can't be read here, and ${refused}: create it, with the authorities' certificates in ca.crt`
    return { fault: { reason: 'SecretNotFound', message } }
  }
  const authorities = readText(secret, 'ca.crt')
  const revocations = readText(secret, 'ca.crl')
  const wrong = authorities === undefined ? 'it has no ca.crt' : check(authorities, revocations)
  if (authorities === undefined || wrong !== undefined) {
    const message = `Secret ${id} can't be used, and ${refused}: ${wrong ?? ''}`
    return { fault: { reason: 'InvalidAuthorities', message } }
  }
  return { authorities, ...(revocations === undefined ? {} : { revocations }) }
}
