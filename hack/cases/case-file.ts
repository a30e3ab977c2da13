import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { toOctets } from './octets.ts'
import { RespondScript } from './respond-script.ts'

/** What must arrive upstream; every key is a condition of its own (see the top of the case file). */
export interface UpstreamExpectation {
  readonly requests?: number
  readonly requests_min?: number
  readonly method?: string
  readonly target?: string
  readonly targets?: readonly string[]
  readonly host?: string
  readonly version?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly headers_all?: Readonly<Record<string, readonly string[]>>
  readonly present?: readonly string[]
  readonly absent?: readonly string[]
  readonly raw_absent?: readonly string[]
  readonly framing?: string
  readonly xff_trusted_only?: boolean
}

/** What must arrive at the client of a response case. */
interface ClientExpectation {
  readonly status?: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly headers_all?: Readonly<Record<string, readonly string[]>>
  readonly present?: readonly string[]
  readonly absent?: readonly string[]
}

export type ListenerName = 'clear' | 'tls'
export type RequestOutcome = 'reject' | 'forward' | 'incomplete' | 'close' | 'any'
export type ResponseOutcome = 'relay' | '502' | '504' | 'truncate' | 'retry' | 'any'

/** Another outcome that is allowed; `status` only for `reject`. */
export interface Alternative<Outcome> {
  readonly outcome: Outcome
  readonly status: readonly number[]
}

interface CaseText {
  readonly id: string
  readonly group: string
  readonly level: string
  readonly rfc: string
  readonly why: string
}

interface Part {
  readonly octets: Buffer
  readonly waitMs: number
}

export interface RequestCase extends CaseText {
  readonly kind: 'request'
  readonly parts: readonly Part[]
  readonly expect: RequestOutcome
  readonly status: readonly number[]
  readonly alternative: Alternative<RequestOutcome> | undefined
  readonly mustClose: boolean
  readonly never: readonly string[]
  /** The head is legal: the upstream may have seen a part of the request, but then it was aborted. */
  readonly mayStartUpstream: boolean
  /** The only listener that the case is about; undefined is both. */
  readonly listener: ListenerName | undefined
  readonly up: UpstreamExpectation
}

export interface ResponseCase extends CaseText {
  readonly kind: 'response'
  readonly request: Buffer
  readonly script: RespondScript
  readonly expect: ResponseOutcome
  readonly status: readonly number[]
  readonly alternative: Alternative<ResponseOutcome> | undefined
  readonly client: ClientExpectation
  readonly upstreamReuse: 'yes' | 'no' | 'any'
}

/** A case that is not run, with the reason; `failed` when it should have been. */
interface UnrunCase extends CaseText {
  readonly kind: 'unrun'
  readonly failed: boolean
  readonly reason: string
}

export type Case = RequestCase | ResponseCase | UnrunCase

interface Written {
  readonly [key: string]: unknown
}

const requestOutcomes: readonly string[] = [
  'reject',
  'forward',
  'incomplete',
  'close',
  'any',
] satisfies RequestOutcome[]
const responseOutcomes: readonly string[] = [
  'relay',
  '502',
  '504',
  'truncate',
  'retry',
  'any',
] satisfies ResponseOutcome[]

const knownUp: ReadonlySet<string> = new Set([
  'requests',
  'requests_min',
  'method',
  'target',
  'targets',
  'host',
  'version',
  'body',
  'headers',
  'headers_all',
  'present',
  'absent',
  'raw_absent',
  'framing',
  'xff_trusted_only',
] satisfies (keyof UpstreamExpectation)[])
const knownClient: ReadonlySet<string> = new Set([
  'status',
  'body',
  'headers',
  'headers_all',
  'present',
  'absent',
] satisfies (keyof ClientExpectation)[])

/**
 * The cases of one file. Throws when the file is not a case file; a case that the runner does not understand becomes a
 * failed one, so that nothing is passed by silence.
 */
export function readCaseFile(path: string): readonly Case[] {
  const file: unknown = parse(readFileSync(path, 'utf8'))
  if (!isWritten(file)) throw new Error(`reading ${path}: a case file is a YAML mapping with the key 'cases'`)
  const cases = list(file['cases'])
  if (cases.some(one => 'steps' in one || 'ingresses' in one)) return cases.map(foreignCase)
  const all = [
    ...cases.map(one => understood(one, requestCase)),
    ...list(file['h2_cases']).map(one => unrun(one, false, 'HTTP/2 is not served yet')),
    ...list(file['response_cases']).map(one => understood(one, responseCase)),
  ]
  if (all.length === 0) throw new Error(`reading ${path}: it holds no cases, h2_cases or response_cases`)
  return all
}

function foreignCase(written: Written): Case {
  return unrun(written, false, 'format not supported yet: objects and steps (ingresses, steps)')
}

function understood(written: Written, read: (written: Written) => Case): Case {
  try {
    return read(written)
  } catch (error) {
    return unrun(written, true, `not understood: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function requestCase(written: Written): RequestCase {
  const up = mapping(written['up'])
  refuseUnknown('up', up, knownUp)
  return {
    ...caseText(written),
    kind: 'request',
    parts: partsOf(written),
    expect: oneOf('expect', written['expect'], requestOutcomes) as RequestOutcome,
    status: numbers(written['status']),
    alternative: alternative(written['alt'], requestOutcomes) as Alternative<RequestOutcome> | undefined,
    mustClose: written['close'] === 'must',
    never: strings(written['never']),
    mayStartUpstream: written['phase'] === 'body',
    listener: listenerOf(written),
    up,
  }
}

function responseCase(written: Written): ResponseCase {
  const client = mapping(written['client'])
  refuseUnknown('client', client, knownClient)
  return {
    ...caseText(written),
    kind: 'response',
    request: toOctets(text(written, 'request')),
    script: new RespondScript(text(written, 'upstream_sends')),
    expect: oneOf('expect', written['expect'], responseOutcomes) as ResponseOutcome,
    status: numbers(written['status']),
    alternative: alternative(written['alt'], responseOutcomes) as Alternative<ResponseOutcome> | undefined,
    client,
    upstreamReuse: oneOf('upstream_reuse', written['upstream_reuse'] ?? 'any', ['yes', 'no', 'any']) as 'yes',
  }
}

function listenerOf({ listener }: Written): ListenerName | undefined {
  return listener === undefined ? undefined : (oneOf('listener', listener, ['clear', 'tls']) as ListenerName)
}

function partsOf(written: Written): readonly Part[] {
  if (!('parts' in written)) return [{ octets: toOctets(text(written, 'raw')), waitMs: 0 }]
  return list(written['parts']).map(part => ({
    octets: toOctets(text(part, 'send')),
    waitMs: typeof part['wait_ms'] === 'number' ? part['wait_ms'] : 0,
  }))
}

function alternative(value: unknown, allowed: readonly string[]): Alternative<string> | undefined {
  if (value === undefined) return undefined
  const [outcome, codes] = text({ alt: value }, 'alt').split(':')
  return {
    outcome: oneOf('alt', outcome, allowed),
    status: (codes ?? '').split(',').filter(Boolean).map(Number),
  }
}

function unrun(written: Written, failed: boolean, reason: string): UnrunCase {
  return { ...caseText(written), kind: 'unrun', failed, reason }
}

function caseText(written: Written): CaseText {
  const word = (key: string): string => (typeof written[key] === 'string' ? written[key] : '')
  return {
    id: word('id'),
    group: word('group') || word('area'),
    level: word('level'),
    rfc: word('rfc'),
    why: word('why') || word('title'),
  }
}

function refuseUnknown(key: string, value: Written, known: ReadonlySet<string>): void {
  const unknown = Object.keys(value).filter(name => !known.has(name))
  if (unknown.length > 0) throw new Error(`${key}.${unknown.join(`, ${key}.`)}; known: ${[...known].join(', ')}`)
}

function oneOf(key: string, value: unknown, allowed: readonly string[]): string {
  const found = allowed.find(one => one === String(value))
  if (found === undefined) throw new Error(`${key}: ${String(value)}; known: ${allowed.join(', ')}`)
  return found
}

function text(written: Written, key: string): string {
  const value = written[key]
  if (typeof value !== 'string') throw new Error(`${key} is missing`)
  return value
}

function mapping(value: unknown): Written {
  return isWritten(value) ? value : {}
}

function list(value: unknown): readonly Written[] {
  return Array.isArray(value) ? value.filter(isWritten) : []
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function numbers(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.map(Number) : []
}

function isWritten(value: unknown): value is Written {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
