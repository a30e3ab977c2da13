// A strict reader of HTTP/1 messages (RFC 9112), written on its own so that it shares no mistake with the proxy's.

type Field = readonly [name: string, value: string]

type Framing = 'none' | 'content-length' | 'chunked' | 'until-close'

export interface Message {
  /** The parts of the start line between its spaces; the last may hold spaces. */
  readonly startLine: readonly [string, string, string]
  readonly fields: readonly Field[]
  readonly framing: Framing
  /** What has arrived of it. */
  readonly body: Buffer
  readonly complete: boolean
}

export type Reading =
  | { readonly kind: 'no-head' }
  | { readonly kind: 'faulty'; readonly reason: string }
  | { readonly kind: 'message'; readonly message: Message; readonly octets: number }

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// What CR, LF and NUL do to a value is dangerous; other control characters are a matter of policy (RFC 9110 5.5).
const fieldValue = /^[^\0\r\n]*$/
const longestHead = 4_000_000

/** Reads one request from the front of the bytes. */
export function readRequest(octets: Buffer): Reading {
  return readMessage(octets, head => {
    const [method = '', target = '', version = '', ...more] = head.startLine.split(' ')
    if (more.length > 0 || !token.test(method) || !/^[^\x00-\x20\x7f]+$/.test(target)) return 'request line'
    if (!/^HTTP\/1\.[01]$/.test(version)) return 'version of the request line'
    const framing = declaredFraming(head.fields)
    return typeof framing === 'string'
      ? framing
      : { startLine: [method, target, version], framing: framing ?? { kind: 'none' } }
  })
}

/** Reads one response; `ended` says that nothing more comes and that the end was no reset. */
export function readResponse(octets: Buffer, requestMethod: string, ended: boolean): Reading {
  return readMessage(octets, head => {
    const match = /^(HTTP\/1\.[01]) ([1-5]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/.exec(head.startLine)
    if (match === null) return 'status line'
    const [, version = '', status = '', reason = ''] = match
    const framing = declaredFraming(head.fields)
    if (typeof framing === 'string') return framing
    const code = Number(status)
    const bodiless = code < 200 || code === 204 || code === 304 || requestMethod === 'HEAD'
    if ((code < 200 || code === 204) && framing !== undefined) return `a body announced with status ${code}`
    const body = bodiless ? ({ kind: 'none' } as const) : (framing ?? { kind: 'until-close', ended })
    return { startLine: [version, status, reason], framing: body }
  })
}

/** All values of a field, in order. */
export function valuesOf(message: Message, name: string): readonly string[] {
  const wanted = name.toLowerCase()
  return message.fields.filter(([one]) => one.toLowerCase() === wanted).map(([, value]) => value)
}

interface Head {
  readonly startLine: string
  readonly fields: readonly Field[]
}

type BodyFraming =
  | { readonly kind: 'none' | 'chunked' }
  | { readonly kind: 'content-length'; readonly length: number }
  | { readonly kind: 'until-close'; readonly ended: boolean }

type Interpretation = string | { readonly startLine: readonly [string, string, string]; readonly framing: BodyFraming }

function readMessage(octets: Buffer, interpret: (head: Head) => Interpretation): Reading {
  const end = octets.indexOf('\r\n\r\n')
  const head = readHead(octets.subarray(0, end < 0 ? octets.length : end).toString('latin1'), end >= 0)
  if (typeof head === 'string') return { kind: 'faulty', reason: head }
  if (end < 0) return octets.length > longestHead ? { kind: 'faulty', reason: 'endless head' } : { kind: 'no-head' }
  const meaning = interpret(head)
  if (typeof meaning === 'string') return { kind: 'faulty', reason: meaning }
  const body = readBody(octets.subarray(end + 4), meaning.framing)
  if (typeof body === 'string') return { kind: 'faulty', reason: body }
  const message: Message = {
    startLine: meaning.startLine,
    fields: head.fields,
    framing: meaning.framing.kind,
    body: body.content,
    complete: body.complete,
  }
  return { kind: 'message', message, octets: end + 4 + body.octets }
}

function readHead(text: string, whole: boolean): Head | string {
  if (text.includes('\0')) return 'NUL in the head'
  const lines = text.split('\r\n')
  if (lines.slice(0, whole ? undefined : -1).some(line => /[\r\n]/.test(line))) return 'bare CR or LF in the head'
  const [startLine = '', ...fieldLines] = lines
  if (startLine === '' && (whole || lines.length > 1)) return 'empty start line'
  if (!whole) return { startLine, fields: [] }
  const fields: Field[] = []
  for (const line of fieldLines) {
    const field = readField(line)
    if (typeof field === 'string') return field
    fields.push(field)
  }
  return { startLine, fields }
}

function readField(line: string): Field | string {
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(colon, 0))
  if (!token.test(name)) return `field line ${JSON.stringify(line)}`
  const value = line.slice(colon + 1).replaceAll(/^[ \t]+|[ \t]+$/g, '')
  return fieldValue.test(value) ? [name, value] : `value of field ${name}`
}

function declaredFraming(fields: readonly Field[]): BodyFraming | string | undefined {
  const all = (name: string): readonly string[] =>
    fields.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value)
  const lengths = all('content-length')
  const codings = all('transfer-encoding')
  if (lengths.length + codings.length === 0) return undefined
  if (lengths.length + codings.length > 1) return 'more than one framing field'
  const [coding] = codings
  if (coding !== undefined) return coding.toLowerCase() === 'chunked' ? { kind: 'chunked' } : `coding ${coding}`
  const [length = ''] = lengths
  if (!/^(0|[1-9]\d{0,14})$/.test(length)) return `Content-Length ${length}`
  return { kind: 'content-length', length: Number(length) }
}

interface Body {
  readonly content: Buffer
  readonly complete: boolean
  readonly octets: number
}

function readBody(octets: Buffer, framing: BodyFraming): Body | string {
  switch (framing.kind) {
    case 'none':
      return { content: Buffer.alloc(0), complete: true, octets: 0 }
    case 'content-length': {
      const content = octets.subarray(0, framing.length)
      return { content, complete: content.length === framing.length, octets: content.length }
    }
    case 'until-close':
      return { content: octets, complete: framing.ended, octets: octets.length }
    case 'chunked':
      return readChunks(octets)
    default:
      return framing satisfies never
  }
}

function readChunks(octets: Buffer): Body | string {
  const pieces: Buffer[] = []
  const unfinished = (): Body => ({ content: Buffer.concat(pieces), complete: false, octets: octets.length })
  let at = 0
  while (true) {
    const end = octets.indexOf('\r\n', at)
    const line = octets.subarray(at, end < 0 ? octets.length : end).toString('latin1')
    if (!(end < 0 ? /^[0-9A-Fa-f]{0,12}\r?$/ : /^[0-9A-Fa-f]{1,12}$/).test(line))
      return `chunk line ${line.slice(0, 40)}`
    if (end < 0) return unfinished()
    const size = Number.parseInt(line, 16)
    at = end + 2
    if (size === 0) break
    pieces.push(octets.subarray(at, at + size))
    if (octets.length < at + size + 2) return unfinished()
    if (octets.toString('latin1', at + size, at + size + 2) !== '\r\n') return 'chunk without CRLF at its end'
    at += size + 2
  }
  return readTrailers(octets, at, Buffer.concat(pieces))
}

function readTrailers(octets: Buffer, start: number, content: Buffer): Body | string {
  let at = start
  while (true) {
    const end = octets.indexOf('\r\n', at)
    if (end < 0) return { content, complete: false, octets: octets.length }
    if (end === at) return { content, complete: true, octets: at + 2 }
    const field = readField(octets.toString('latin1', at, end))
    if (typeof field === 'string') return `trailer: ${field}`
    at = end + 2
  }
}
