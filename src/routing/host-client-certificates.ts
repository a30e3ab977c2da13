import type { Problem } from '../api/problem.ts'
import type { AuthorityState, DeclaredClientCertificates } from './client-certificates.ts'
import { compareIngresses, type IngressModel } from './ingress-model.ts'
import type { ClientCertificateRule } from './model.ts'
import { sameData } from './same-data.ts'

export interface HostClientCertificates {
  readonly rule: ClientCertificateRule | undefined
  /** Ingresses of the host whose routes must not be served; all of them when the rule cannot be had. */
  readonly refused: ReadonlySet<IngressModel>
  readonly problems: readonly Problem[]
}

/** The rule of a host is that of its oldest Ingress with one, for the routes of all. */
export function chooseClientCertificates(
  ingresses: readonly IngressModel[],
  authorities: (secret: string) => AuthorityState | undefined,
): HostClientCertificates {
  const ordered = ingresses.filter(({ clientCertificates }) => clientCertificates !== undefined).sort(compareIngresses)
  const winner = ordered[0]
  const declared = winner?.clientCertificates
  if (winner === undefined || declared === undefined) return { rule: undefined, refused: new Set(), problems: [] }
  const state = authorities(declared.secret)
  // That the Secret is at fault is a problem of the Ingresses that name it.
  if (state === undefined || state.fault !== undefined)
    return { rule: undefined, refused: new Set(ingresses), problems: [] }
  const others = ordered.filter(({ clientCertificates: other }) => !sameDemand(declared, other))
  const problems = others.map(({ object, clientCertificates }) => {
    const message = `its routes of this host answer 503: the older Ingress ${winner.key} asks for other client certificates; say the same in both`
    return { object, field: clientCertificates?.field ?? '', reason: 'ClientCertificateConflict', message }
  })
  return { rule: { ...declared.rule, ...state }, refused: new Set(others), problems }
}

function sameDemand(one: DeclaredClientCertificates, other: DeclaredClientCertificates | undefined): boolean {
  return one.secret === other?.secret && sameData(one.rule, other.rule)
}
