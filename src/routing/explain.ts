import { hostCandidates } from './match.ts'
import type { Host, Route } from './model.ts'
import { plainHttpAction } from './plain-http.ts'
import type { RoutingTable } from './table.ts'

/** One step of a decision, for people: what was asked and what the answer was. */
export interface ExplanationStep {
  readonly question: string
  readonly answer: string
}

/** Why a request is answered as it is: host, path, refusal, TLS, endpoints, in the order in which they are decided. */
export function explain(
  table: RoutingTable,
  request: { readonly host: string; readonly path: string },
): readonly ExplanationStep[] {
  const owner = table.host(request.host)
  const steps: ExplanationStep[] = [explainHost(request.host, owner)]
  const match = table.find(request.host, request.path)
  if (match === undefined)
    return [...steps, { question: 'which path matches?', answer: `none matches ${request.path}: 404` }]
  steps.push(explainPath(match.route, { owner, host: match.host }))
  const { route } = match
  if (route.refusal !== undefined) {
    const answer = `no: every request gets ${route.refusal.status} (${route.refusal.reason})`
    return [...steps, { question: 'may it be served?', answer }]
  }
  if (table.settings !== undefined) {
    const action = plainHttpAction(match.host, route, table.settings)
    steps.push({ question: 'what of plain HTTP?', answer: plainHttpAnswers[action] })
  }
  return [...steps, explainBackend(table, route)]
}

const plainHttpAnswers = {
  serve: 'it is served',
  redirect: 'it is redirected to HTTPS',
  refuse: 'it gets 503: the certificate can not be used and the redirect is switched off',
} as const

function explainHost(name: string, owner: Host | undefined): ExplanationStep {
  const candidates = hostCandidates(name).map(printed)
  const question = `which host owns it? (${candidates.join(', then ')})`
  return { question, answer: owner === undefined ? 'none' : printed(owner.name) }
}

function explainPath(route: Route, { owner, host }: { owner: Host | undefined; host: Host }): ExplanationStep {
  const by = `Ingress ${route.ingress.namespace}/${route.ingress.name}`
  const question = 'which path matches?'
  if (host !== owner) return { question, answer: `none: the default backend of ${by}` }
  if (host.defaultRoute === route) return { question, answer: `none of this host: its default backend, by ${by}` }
  const why = route.match === 'exact' ? 'an exact path wins' : 'the longest prefix'
  return { question, answer: `${route.path} (${route.match}; ${why}), by ${by}` }
}

function explainBackend(table: RoutingTable, route: Route): ExplanationStep {
  const backend = route.backend === undefined ? undefined : table.backend(route.backend)
  const question = 'which endpoints?'
  if (backend === undefined || backend.endpoints.length === 0) {
    return { question, answer: `${route.backend ?? 'no backend'} has none: 503` }
  }
  const list = backend.endpoints.map(({ address, port }) =>
    address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
  )
  return { question, answer: `${backend.id}: ${list.join(', ')}` }
}

function printed(host: string): string {
  return host === '' ? 'every host without an entry' : host
}
