import type { Problem } from '../api/problem.ts'
import type { AnnotationOptions, HostOption, RouteOptions } from './annotations.ts'
import type { SecretState } from './certificate-book.ts'
import type { AuthorityState } from './client-certificates.ts'
import { compareText } from './compare-text.ts'
import { chooseClientCertificates } from './host-client-certificates.ts'
import { compareIngresses, type DeclaredRoute, type IngressModel, type TlsEntry } from './ingress-model.ts'
import { wildcardOf } from './match.ts'
import type { Host, Route } from './model.ts'

export interface BuiltHost {
  /** Undefined when no Ingress names it. */
  readonly host: Host | undefined
  readonly problems: readonly Problem[]
}

export type AuthorityStates = (secret: string) => AuthorityState | undefined

export type SecretStates = (secret: string) => SecretState | undefined

interface Claim {
  readonly ingress: IngressModel
  readonly entry: TlsEntry
}

interface HostTls {
  readonly tls: boolean
  readonly certificate: string | undefined
  /** Its certificate can't be used, so nothing of it may be served in the clear. */
  readonly broken: boolean
}

/** Builds one host whole from all the Ingresses that name it: each path goes to the oldest that claims it. */
export function buildHost(
  name: string,
  ingresses: readonly IngressModel[],
  { secrets, authorities }: { readonly secrets: SecretStates; readonly authorities: AuthorityStates },
): BuiltHost {
  if (ingresses.length === 0) return { host: undefined, problems: [] }
  const ordered = [...ingresses].sort(compareIngresses)
  const problems: Problem[] = []
  const hostTls = chooseCertificate(name, ordered, { secrets, problems })
  const clients = chooseClientCertificates(ordered, authorities)
  problems.push(...clients.problems)
  const routes = new Map<string, Route>()
  let defaultRoute: Route | undefined
  for (const ingress of ordered) {
    const context = {
      name,
      options: routeOptions(ingress, hostTls),
      ...(clients.refused.has(ingress) ? { refusal: unjudgedClients } : {}),
    }
    for (const declared of ingress.hosts.get(name) ?? []) {
      const claim = `${declared.match} ${declared.path}`
      const winner = routes.get(claim)
      if (winner === undefined) routes.set(claim, routeOf(ingress, declared, context))
      else problems.push(pathConflict(ingress, declared, { name, winner }))
    }
    if (ingress.defaultRoute === undefined) continue
    if (defaultRoute === undefined)
      defaultRoute = routeOf(ingress, ingress.defaultRoute, { ...context, isDefault: true })
    else problems.push(defaultConflict(ingress, ingress.defaultRoute, { name, winner: defaultRoute }))
  }
  const { tls, certificate } = hostTls
  const rule = clients.rule === undefined ? {} : { clientCertificates: clients.rule }
  return {
    host: { name, routes: [...routes.values()].sort(compareRoutes), defaultRoute, tls, certificate, ...rule },
    problems,
  }
}

/** Who may ask for the route can't be told: nobody is let in. */
const unjudgedClients: Route['refusal'] = { status: 503, reason: 'ClientCertificates' }

/** The longest path first; on equal paths the exact one. */
function compareRoutes(one: Route, other: Route): number {
  return other.path.length - one.path.length || compareText(one.path, other.path) || compareText(one.match, other.match)
}

function routeOf(
  ingress: IngressModel,
  declared: DeclaredRoute,
  context: { name: string; options: RouteOptions; isDefault?: boolean; refusal?: Route['refusal'] },
): Route {
  const { namespace, name } = ingress.object
  const refusal =
    ingress.refusal ??
    context.refusal ??
    (declared.backend === undefined ? { status: 503, reason: 'UnsupportedBackend' } : undefined)
  return {
    id: `${namespace}/${name}/${context.name}/${context.isDefault === true ? 'default' : declared.match}${declared.path}`,
    path: declared.path,
    match: declared.match,
    ingress: { namespace, name },
    backend: declared.backend?.id,
    refusal,
    options: context.options,
  }
}

function routeOptions(ingress: IngressModel, { tls, broken }: HostTls): RouteOptions {
  const { sslRedirect, forceSslRedirect, ...others } = ingress.options
  const options = withoutHostOptions(others)
  if (forceSslRedirect === true) return { ...options, tlsRedirect: true }
  if (broken) return sslRedirect === false ? { ...options, clearTextRefusal: true } : { ...options, tlsRedirect: true }
  return sslRedirect === undefined ? options : { ...options, tlsRedirect: sslRedirect && tls }
}

const hostOptions: ReadonlySet<string> = new Set([
  'authTlsSecret',
  'authTlsVerifyClient',
  'authTlsVerifyDepth',
  'authTlsPassCertificate',
  'authTlsMatchCn',
] satisfies readonly HostOption[])

function withoutHostOptions(options: Omit<AnnotationOptions, 'sslRedirect' | 'forceSslRedirect'>): RouteOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !hostOptions.has(name)))
}

/** The certificate of the oldest Ingress that has one for the host; without any Secret, the default one. */
function chooseCertificate(
  name: string,
  ordered: readonly IngressModel[],
  { secrets, problems }: { secrets: SecretStates; problems: Problem[] },
): HostTls {
  const claims = ordered.flatMap(ingress => claimOf(name, ingress, secrets) ?? [])
  const winner = claims.find(({ entry }) => entry.secret !== undefined)
  const secret = winner?.entry.secret
  if (winner === undefined || secret === undefined)
    return { tls: claims.length > 0, certificate: undefined, broken: false }
  for (const { ingress, entry } of claims) {
    if (entry.secret === undefined || entry.secret === secret) continue
    const message = `Secret ${entry.secret} is not used for host ${printed(name)}: it has the certificate of Secret ${secret} by the older Ingress ${winner.ingress.key}; refer to the same Secret or remove one of the two`
    problems.push({ object: ingress.object, field: entry.field, reason: 'CertificateConflict', message })
  }
  const state = secrets(secret)
  if (state?.usable === undefined) return { tls: true, certificate: undefined, broken: true }
  if (name !== '' && !covers(state.usable.hosts, name)) {
    const message = `the certificate of Secret ${secret} does not name host ${name}, so clients will not trust it; use one that does`
    problems.push({ object: winner.ingress.object, field: winner.entry.field, reason: 'HostNotCovered', message })
  }
  return { tls: true, certificate: secret, broken: false }
}

function claimOf(name: string, ingress: IngressModel, secrets: SecretStates): Claim | undefined {
  const named = ingress.tlsOfHost.get(name)
  const entry = named ?? ingress.tlsOfAnyHost.find(candidate => appliesTo(name, { ingress, entry: candidate }, secrets))
  return entry === undefined ? undefined : { ingress, entry }
}

/**
 * An entry of `spec.tls` without hosts is for the hosts of its Ingress that its certificate names. Where that can't be
 * told, or is none of them, it is for all: they were meant to have TLS.
 */
function appliesTo(name: string, { ingress, entry }: Claim, secrets: SecretStates): boolean {
  const usable = entry.secret === undefined ? undefined : secrets(entry.secret)?.usable
  if (usable === undefined || name === '' || covers(usable.hosts, name)) return true
  return ![...ingress.hosts.keys()].some(host => host === '' || covers(usable.hosts, host))
}

function covers(certificateHosts: ReadonlySet<string>, name: string): boolean {
  const wildcard = wildcardOf(name)
  return certificateHosts.has(name) || (wildcard !== undefined && certificateHosts.has(wildcard))
}

function pathConflict(
  ingress: IngressModel,
  declared: DeclaredRoute,
  { name, winner }: { name: string; winner: Route },
): Problem {
  const owner = `${winner.ingress.namespace}/${winner.ingress.name}`
  const claimant = owner === ingress.key ? 'this Ingress already' : `the older Ingress ${owner}`
  const message = `path ${declared.path} (${declared.match}) of host ${printed(name)} is not served from here: ${claimant} has it; remove one of the two`
  return { object: ingress.object, field: `${declared.field}.path`, reason: 'PathConflict', message }
}

function defaultConflict(
  ingress: IngressModel,
  declared: DeclaredRoute,
  { name, winner }: { name: string; winner: Route },
): Problem {
  const message = `the default backend of host ${printed(name)} is not served from here: the older Ingress ${winner.ingress.namespace}/${winner.ingress.name} has it; remove one of the two`
  return { object: ingress.object, field: declared.field, reason: 'PathConflict', message }
}

function printed(host: string): string {
  return host === '' ? '* (every host without an entry)' : host
}
