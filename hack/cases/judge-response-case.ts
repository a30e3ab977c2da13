import type { Alternative, ResponseCase, ResponseOutcome } from './case-file.ts'
import { fieldMismatches } from './field-mismatches.ts'
import { type Message, valuesOf } from './message.ts'
import { showOctets } from './octets.ts'
import { recorderField } from './recorder.ts'
import type { ResponseObservation } from './run-response-case.ts'
import type { Verdict } from './verdict.ts'

/** Compares what the client got, and what became of the upstream connection, with what is expected. */
export function judgeResponseCase(one: ResponseCase, seen: ResponseObservation): Verdict {
  const came = describe(seen)
  const violations = violationsOf(one, seen)
  if (violations.length > 0) return { status: 'failed', hard: true, reasons: violations, came }
  const reasons = [...mismatches(one, { outcome: one.expect, status: one.status }, seen), ...reuseMismatches(one, seen)]
  if (reasons.length === 0) return { status: 'passed', hard: false, reasons, came }
  const { alternative } = one
  const allowed =
    alternative !== undefined && [...mismatches(one, alternative, seen), ...reuseMismatches(one, seen)].length === 0
  return { status: allowed ? 'allowed' : 'failed', hard: false, reasons, came }
}

function violationsOf(one: ResponseCase, seen: ResponseObservation): readonly string[] {
  const found: string[] = []
  if (seen.crash !== undefined) found.push(seen.crash)
  if (seen.received.fault !== undefined) found.push(`the client got no HTTP: ${seen.received.fault}`)
  if (seen.probe === 'not answered rightly') found.push('the next request was not answered with its own response')
  if (seen.received.octets.includes('evil')) found.push('bytes that are no response of the request reached the client')
  if (one.request.toString('latin1', 0, 4) === 'POST' && seen.attempts > 1) {
    found.push(`a POST was sent ${seen.attempts} times`)
  }
  return found
}

function mismatches(
  one: ResponseCase,
  wanted: Alternative<ResponseOutcome>,
  seen: ResponseObservation,
): readonly string[] {
  const [message] = seen.received.final
  switch (wanted.outcome) {
    case 'any':
      return []
    case '502':
    case '504':
      return failureMismatches(wanted.status.length > 0 ? wanted.status : [Number(wanted.outcome)], message)
    case 'truncate':
      return truncationMismatches(seen)
    case 'relay':
      return relayMismatches(one, message)
    case 'retry':
      return message?.complete === true && valuesOf(message, recorderField).length === 1
        ? []
        : ['the request was not answered from a fresh connection']
    default:
      return wanted.outcome satisfies never
  }
}

function failureMismatches(status: readonly number[], message: Message | undefined): readonly string[] {
  if (message === undefined) return [`no answer came, not ${status.join(' or ')}`]
  const code = Number(message.startLine[1])
  return status.includes(code) && message.complete ? [] : [`status ${code}, not ${status.join(' or ')}`]
}

/** Besides a response that is cut, an error shows the client that something is missing. */
function truncationMismatches({ received }: ResponseObservation): readonly string[] {
  const [message] = received.final
  if (message === undefined) return received.closed ? [] : ['no answer came and the connection was kept open']
  if (Number(message.startLine[1]) >= 500) return []
  if (message.complete) return ['the client could not tell that the response was incomplete']
  return received.closed ? [] : ['the response was cut, but the connection kept open']
}

function relayMismatches(one: ResponseCase, message: Message | undefined): readonly string[] {
  if (message === undefined) return ['no answer came']
  const { client } = one
  const code = Number(message.startLine[1])
  const body = message.body.toString('latin1')
  const found: string[] = []
  if (!message.complete) found.push('the response did not come whole')
  if (message.startLine[0] !== 'HTTP/1.1') found.push(`the response has version ${message.startLine[0]}, not HTTP/1.1`)
  if (client.status === undefined && code >= 500) found.push(`status ${code}`)
  if (client.status !== undefined && code !== client.status) found.push(`status ${code}, not ${client.status}`)
  if (client.body !== undefined && body !== client.body)
    found.push(`body ${showOctets(body)}, not ${showOctets(client.body)}`)
  return [...found, ...fieldMismatches(client, message)]
}

function reuseMismatches(one: ResponseCase, seen: ResponseObservation): readonly string[] {
  if (one.upstreamReuse === 'yes' && seen.probe !== 'on the same connection')
    return ['the upstream connection was not used again']
  if (one.upstreamReuse !== 'no') return []
  if (seen.probe === 'on the same connection') return ['the upstream connection was used again']
  return seen.keptOpen ? ['the upstream connection was kept open'] : []
}

function describe({ received, attempts, probe, keptOpen }: ResponseObservation): string {
  const all = [...received.interim.slice(0, 3), ...received.final].map(message => {
    return `${message.startLine[1]}${message.complete ? '' : ' (cut)'} ${showOctets(message.body)}`
  })
  const client = all.join(', ') || (received.octets.length > 0 ? showOctets(received.octets) : 'nothing')
  const end = received.reset ? 'reset' : received.closed ? 'closed' : 'kept open'
  const upstream = `${attempts} attempt${attempts === 1 ? '' : 's'}, upstream connection ${keptOpen ? 'kept open' : 'closed'}`
  return `client got ${client}, connection ${end}; ${upstream}; next request ${probe}`
}
