import { isDeepStrictEqual } from 'node:util'
import type { RequestCase, ResponseCase, UpstreamExpectation } from '../../hack/cases/case-file.ts'
import { type RecordedMessage, recordedMessage, valuesOf } from './recorded-message.ts'
import { CLIENT_ADDRESS, type ConnectionOutcome } from './simulated-client.ts'
import type { ExchangeOutcome } from './simulated-upstream.ts'

/** What differs from the strict column of the case file; a case passes when nothing does. */
export class Discrepancies {
  readonly found: string[] = []

  equal(what: string, actual: unknown, expected: unknown): void {
    if (!isDeepStrictEqual(actual, expected)) this.#add(what, actual, expected)
  }

  holds(what: string, isTrue: boolean): void {
    if (!isTrue) this.found.push(what)
  }

  #add(what: string, actual: unknown, expected: unknown): void {
    this.found.push(`${what} is ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`)
  }
}

export function judgeRequest(requestCase: RequestCase, outcome: ConnectionOutcome): readonly string[] {
  const judged = new Discrepancies()
  const messages = outcome.forwarded.map(raw => recordedMessage(raw))
  for (const target of requestCase.never) {
    judged.holds(`${target} must never go upstream`, !messages.map(targetOf).includes(target))
  }
  if (requestCase.mustClose) judged.holds('the connection must be closed', outcome.closed)
  switch (requestCase.expect) {
    case 'reject':
      judged.holds(
        `status ${outcome.refusedWith} is not expected`,
        requestCase.status.includes(outcome.refusedWith ?? 0),
      )
      judged.equal('requests upstream', messages.length, requestCase.up.requests ?? 0)
      break
    case 'incomplete':
      judged.equal('status', outcome.refusedWith, undefined)
      judged.equal('requests upstream', messages, [])
      judged.holds('the message must be seen to be incomplete', outcome.incomplete)
      break
    case 'forward':
      judgeForwarded(judged, requestCase.up, { outcome, messages })
      // What follows may be refused where the connection ends anyway.
      if (!requestCase.mustClose) judged.equal('status', outcome.refusedWith, undefined)
      break
    case 'close':
    case 'any':
      judged.holds('a case that needs a clock cannot be judged here', false)
  }
  return judged.found
}

interface Forwarded {
  readonly outcome: ConnectionOutcome
  readonly messages: readonly RecordedMessage[]
}

function judgeForwarded(judged: Discrepancies, up: UpstreamExpectation, { outcome, messages }: Forwarded): void {
  if (up.requests_min === undefined) {
    judged.equal('rest of a message', outcome.incomplete, false)
    judged.equal('requests upstream', messages.length, up.requests ?? 1)
  }
  judged.holds('too few requests upstream', messages.length >= (up.requests_min ?? 1))
  for (const message of messages) judgeForm(judged, message)
  if (up.targets !== undefined) judged.equal('targets', messages.map(targetOf), up.targets)
  for (const octets of up.raw_absent ?? []) {
    judged.holds(
      `${octets} must not go upstream`,
      messages.every(({ raw }) => !raw.includes(octets)),
    )
  }
  const [first] = messages
  if (first !== undefined) judgeFirst(judged, up, first)
}

/** What holds for every request that goes upstream. */
function judgeForm(judged: Discrepancies, message: RecordedMessage): void {
  judged.holds('the request upstream must be complete', message.complete)
  judged.equal('version', message.startLine.split(' ').slice(2), ['HTTP/1.1'])
  judged.equal('number of Host fields', valuesOf(message, 'host').length, 1)
  judged.holds('at most one framing field', framingFieldsOf(message).length < 2)
}

function judgeFirst(judged: Discrepancies, up: UpstreamExpectation, first: RecordedMessage): void {
  const [method, target, version] = first.startLine.split(' ')
  judged.equal('method', method, up.method ?? method)
  judged.equal('target', target, up.target ?? target)
  judged.equal('version', version, up.version ?? version)
  judged.equal('body', first.body, up.body ?? first.body)
  if (up.host !== undefined) judged.equal('host', valuesOf(first, 'host'), [up.host])
  if (up.framing === 'none') judged.equal('framing fields', framingFieldsOf(first), [])
  if (up.xff_trusted_only === true) judged.equal('forwarded for', valuesOf(first, 'x-forwarded-for'), [CLIENT_ADDRESS])
  judgeFields(judged, up, first)
}

type FieldExpectation = Pick<UpstreamExpectation, 'headers' | 'headers_all' | 'present' | 'absent'>

function judgeFields(judged: Discrepancies, expected: FieldExpectation, message: RecordedMessage): void {
  for (const [name, value] of Object.entries(expected.headers ?? {}))
    judged.equal(name, valuesOf(message, name), [value])
  for (const [name, values] of Object.entries(expected.headers_all ?? {}))
    judged.equal(name, valuesOf(message, name), values)
  for (const name of expected.present ?? []) judged.holds(`${name} is missing`, valuesOf(message, name).length > 0)
  for (const name of expected.absent ?? []) judged.equal(name, valuesOf(message, name), [])
}

export function judgeResponse(responseCase: ResponseCase, outcome: ExchangeOutcome): readonly string[] {
  const judged = new Discrepancies()
  if (outcome.kind === '502') judged.holds('502 is not expected', responseCase.status.includes(502))
  else judged.equal('outcome', outcome.kind, responseCase.expect)
  if (responseCase.upstreamReuse !== 'any')
    judged.equal('reuse', outcome.reusable, responseCase.upstreamReuse === 'yes')
  if (outcome.kind !== 'relay' && outcome.kind !== 'truncate') return judged.found
  const { client } = responseCase
  const message = recordedMessage(outcome.client, responseCase.request.indexOf('HEAD ') === 0 || client.status === 304)
  judged.equal('completeness', message.complete, outcome.kind === 'relay')
  judged.equal('version', message.startLine.split(' ')[0], 'HTTP/1.1')
  if (client.status !== undefined) judged.equal('status', message.startLine.split(' ')[1], `${client.status}`)
  judged.equal('body', message.body, client.body ?? message.body)
  judgeFields(judged, client, message)
  judged.equal('number of Date fields', valuesOf(message, 'date').length, 1)
  judged.holds(
    'no name has whitespace',
    message.fields.every(([name]) => !/\s/.test(name)),
  )
  return judged.found
}

export function targetOf(message: RecordedMessage): string {
  return message.startLine.split(' ')[1] ?? ''
}

function framingFieldsOf(message: RecordedMessage): readonly string[] {
  return [...valuesOf(message, 'content-length'), ...valuesOf(message, 'transfer-encoding')]
}
