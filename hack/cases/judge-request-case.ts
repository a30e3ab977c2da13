import type { Alternative, RequestCase, RequestOutcome } from './case-file.ts'
import { backendOfHost } from './manifests.ts'
import { type Message, valuesOf } from './message.ts'
import { showOctets } from './octets.ts'
import { type RecordedRequest, recordedBody, recorderField } from './recorder.ts'
import type { RequestObservation } from './run-request-case.ts'
import { upstreamMismatches } from './upstream-mismatches.ts'
import type { Verdict } from './verdict.ts'

/** Compares what came out at both ends with what is expected. */
export function judgeRequestCase(one: RequestCase, seen: RequestObservation): Verdict {
  const came = describe(seen)
  const violations = violationsOf(one, seen)
  if (violations.length > 0) return { status: 'failed', hard: true, reasons: violations, came }
  const reasons = [...outcomeMismatches(one, { outcome: one.expect, status: one.status }, seen)]
  if (one.mustClose && !seen.received.closed) reasons.push('the client connection was kept open')
  if (reasons.length === 0) return { status: 'passed', hard: false, reasons, came }
  const allowed = one.alternative !== undefined && outcomeMismatches(one, one.alternative, seen).length === 0
  return { status: allowed ? 'allowed' : 'failed', hard: false, reasons, came }
}

/** What no case may show, whatever it expects. */
function violationsOf(one: RequestCase, seen: RequestObservation): readonly string[] {
  const found: string[] = []
  if (seen.crash !== undefined) found.push(seen.crash)
  for (const { message } of seen.requests) {
    const target = message.startLine[1]
    if (one.never.includes(target)) found.push(`the canary ${showOctets(target)} reached the upstream as a request`)
    if (valuesOf(message, 'x-forwarded-for').length === 0) {
      found.push(
        `a request for ${showOctets(target)} reached the upstream that the proxy did not make (no X-Forwarded-For)`,
      )
    }
  }
  found.push(...seen.requests.flatMap(misrouted))
  for (const { fault } of seen.connections) if (fault !== undefined) found.push(`the upstream got no HTTP: ${fault}`)
  if (seen.received.fault !== undefined) found.push(`the client got no HTTP: ${seen.received.fault}`)
  const [first] = one.parts
  const isHttp10 = /^\S+ \S+ HTTP\/1\.0\r\n/.test(first?.octets.toString('latin1', 0, 200) ?? '')
  if (isHttp10 && seen.received.interim.length > 0) found.push('an HTTP/1.0 client got an interim response')
  return found
}

function misrouted({ message, backend }: RecordedRequest): readonly string[] {
  const [host = ''] = valuesOf(message, 'host')
  const name = host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
  if (backendOfHost(name) === backend) return []
  return [`a request with Host ${showOctets(host)} reached the backend '${backend}'`]
}

function outcomeMismatches(
  one: RequestCase,
  wanted: Alternative<RequestOutcome>,
  seen: RequestObservation,
): readonly string[] {
  switch (wanted.outcome) {
    case 'any':
      return []
    case 'forward':
      return [...answersOfUpstream(one, seen), ...upstreamMismatches(one.up, seen)]
    case 'reject':
      return [...refusal(one, wanted.status, seen), ...nothingUpstream(one, seen)]
    case 'incomplete':
      return nothingUpstream(one, seen)
    case 'close':
      return [...closedUnserved(seen), ...nothingUpstream(one, seen)]
    default:
      return wanted.outcome satisfies never
  }
}

function answersOfUpstream(one: RequestCase, seen: RequestObservation): readonly string[] {
  const wanted = one.up.requests ?? one.up.requests_min ?? 1
  const answers = seen.received.final.filter(message => message.complete && isFromUpstream(message))
  const found: string[] = []
  found.push(...orderMismatches(one.up.targets ?? [], answers))
  if (answers.length < wanted) found.push(`${answers.length} answers of the upstream came back, not ${wanted}`)
  if (one.parts.length > 1 && waitsForContinue(one) && !seen.continued) found.push('no 100 came before the body')
  return found
}

/** The recorder's answer names the target of its request; `targets` are in the order in which they were sent. */
function orderMismatches(targets: readonly string[], answers: readonly Message[]): readonly string[] {
  return answers.flatMap((answer, index) => {
    const target = targets[index]
    const body = answer.body.toString('latin1')
    const isOwn = target === undefined || body === '' || body === recordedBody(target)
    return isOwn ? [] : [`answer ${index + 1} is ${showOctets(body)}, not that of ${showOctets(target)}`]
  })
}

function waitsForContinue(one: RequestCase): boolean {
  return /^expect:\s*100-continue/im.test(one.parts[0]?.octets.toString('latin1') ?? '')
}

function refusal(one: RequestCase, status: readonly number[], seen: RequestObservation): readonly string[] {
  const message = seen.received.final[one.up.requests ?? 0]
  if (message === undefined) return [`no answer came, not ${status.join(' or ')}`]
  if (isFromUpstream(message)) return [`the upstream answered, not the proxy with ${status.join(' or ')}`]
  const code = Number(message.startLine[1])
  return status.includes(code) ? [] : [`the proxy answered ${code}, not ${status.join(' or ')}`]
}

function nothingUpstream(one: RequestCase, seen: RequestObservation): readonly string[] {
  const found: string[] = []
  const allowed = one.up.requests ?? 0
  if (seen.requests.length > allowed)
    found.push(`${seen.requests.length} whole requests reached the upstream, not ${allowed}`)
  const partial = seen.connections.filter(connection => connection.partial)
  const mayStart = one.mayStartUpstream || one.expect === 'incomplete'
  if (partial.length > 0 && !mayStart) found.push('a part of the request reached the upstream')
  if (partial.some(({ open }) => open)) found.push('the upstream request was begun and not aborted')
  return found
}

function closedUnserved(seen: RequestObservation): readonly string[] {
  const found: string[] = []
  if (!seen.received.closed) found.push('the client connection was kept open')
  const served = seen.received.final.filter(message => Number(message.startLine[1]) < 400)
  if (served.length > 0) found.push(`it was answered with ${served.map(message => message.startLine[1]).join(', ')}`)
  return found
}

function isFromUpstream(message: Message): boolean {
  return valuesOf(message, recorderField).length > 0
}

function describe({ requests, connections, received }: RequestObservation): string {
  const answers = received.final.map(message => {
    const source = isFromUpstream(message) ? 'of the upstream' : 'of the proxy'
    return `${message.startLine[1]} ${source}${message.complete ? '' : ' (cut)'}`
  })
  const interim = received.interim.map(message => message.startLine[1])
  const client =
    [...interim, ...answers].join(', ') || (received.octets.length > 0 ? showOctets(received.octets) : 'nothing')
  const end = received.reset ? 'reset' : received.closed ? 'closed' : 'kept open'
  const whole = requests.map(({ message }) => showOctets(`${message.startLine[0]} ${message.startLine[1]}`))
  const partial = connections.filter(one => one.partial && one.fault === undefined).length
  const upstream = [...whole, ...(partial > 0 ? [`${partial} unfinished`] : [])].join(', ') || 'nothing'
  return `client got ${client}, connection ${end}; upstream got ${upstream}`
}
