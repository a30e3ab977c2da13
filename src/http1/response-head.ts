import { type ConnectionOptions, parseConnection, withoutNominated } from './connection-options.ts'
import { DATE, SERVER, UPGRADE } from './field-names.ts'
import { FieldSection, RESPONSE_RULES, scanFields } from './field-section.ts'
import { type DeclaredFraming, declaredFraming } from './framing.ts'
import { HeadText } from './head-text.ts'
import {
  type Framing,
  type HeadLimits,
  INCOMPLETE,
  type Incomplete,
  type ParsedResponseHead,
  type Refused,
  type ResponseHead,
  refused,
} from './messages.ts'
import { CR, LF, NINE, SP, VALUE, ZERO } from './octets.ts'
import { versionNumberFault } from './request-line.ts'

/** A reason phrase is for people; none is this long. */
const MAX_STATUS_LINE_OCTETS = 8192

const STATUS_OFFSET = 9
const REASON_OFFSET = 13

interface StatusLine {
  readonly kind: 'status-line'
  readonly minorVersion: 0 | 1
  readonly status: number
  readonly reason: string
  readonly next: number
}

/**
 * The response head that begins at `start`, answering a request of `requestMethod` (RFC 9112). Interim responses
 * are heads of their own. Refusals have status 502; their connection is closed. It never throws, and what comes out
 * does not depend on how the octets were cut into pieces.
 */
export function parseResponseHead(
  bytes: Buffer,
  start: number,
  end: number,
  limits: HeadLimits,
  requestMethod: string,
): ParsedResponseHead {
  const text = new HeadText(bytes, start, end)
  const line = scanStatusLine(bytes, { text, start, end })
  if (line.kind !== 'status-line') return line
  const section = new FieldSection()
  const stopped = scanFields(section, { bytes, text, start: line.next, end, limits }, RESPONSE_RULES)
  if (stopped !== undefined) return stopped.kind === 'refused' ? asBadGateway(stopped) : stopped
  const framing = declaredFraming(section, line.minorVersion)
  if (framing.kind === 'refused') return asBadGateway(framing)
  return { kind: 'head', head: assembled(line, section, { framing, requestMethod }), next: section.next }
}

function asBadGateway(stopped: Refused): Refused {
  return refused(502, stopped.refusal.reason)
}

/** RFC 9112 section 4. The SP before an empty reason phrase may be missing, as many servers leave it out. */
function scanStatusLine(
  bytes: Buffer,
  range: { readonly text: HeadText; readonly start: number; readonly end: number },
): StatusLine | Incomplete | Refused {
  const { text, start } = range
  const hardEnd = start + MAX_STATUS_LINE_OCTETS
  const end = range.end < hardEnd ? range.end : hardEnd
  const fault = versionNumberFault(bytes, start, end)
  if (fault === 'incomplete') return INCOMPLETE
  if (fault !== undefined || bytes[start + 5] !== 0x31) return refused(502, 'version-syntax')
  for (let index = 0; index < 4; index++) {
    const at = start + STATUS_OFFSET - 1 + index
    if (at >= end) return INCOMPLETE
    if (!isStatusOctet(bytes[at] as number, index)) return refused(502, 'status-syntax')
  }
  let at = start + REASON_OFFSET - 1
  if (at < end && bytes[at] !== SP && bytes[at] !== CR) return refused(502, 'status-syntax')
  while (at < end && VALUE[bytes[at] as number] === 1) at++
  if (at < end && bytes[at] !== CR) return refused(502, bytes[at] === LF ? 'bare-lf' : 'reason-octet')
  if (at + 1 >= end) return end === hardEnd ? refused(502, 'status-line-too-long') : INCOMPLETE
  if (bytes[at + 1] !== LF) return refused(502, 'bare-cr')
  return {
    kind: 'status-line',
    minorVersion: bytes[start + 7] === ZERO ? 0 : 1,
    status: statusAt(bytes, start + STATUS_OFFSET),
    reason: at > start + REASON_OFFSET ? text.slice(start + REASON_OFFSET, at) : '',
    next: at + 2,
  }
}

function statusAt(bytes: Buffer, at: number): number {
  return (
    ((bytes[at] as number) - ZERO) * 100 + ((bytes[at + 1] as number) - ZERO) * 10 + (bytes[at + 2] as number) - ZERO
  )
}

/** SP and three digits, the first of them 1 to 5 (RFC 9110 section 15). */
function isStatusOctet(octet: number, index: number): boolean {
  if (index === 0) return octet === SP
  if (index === 1) return octet > ZERO && octet <= ZERO + 5
  return octet >= ZERO && octet <= NINE
}

interface Exchange {
  readonly framing: DeclaredFraming
  readonly requestMethod: string
}

function assembled(line: StatusLine, section: FieldSection, exchange: Exchange): ResponseHead {
  const { status, minorVersion } = line
  const connection = parseConnection(section.connection)
  const framing = framingOf(status, exchange)
  return {
    status,
    reason: line.reason,
    minorVersion,
    keepAlive: status !== 101 && framing !== 'close' && isKeptAlive(minorVersion, connection),
    framing,
    contentLength: framing === 'length' ? exchange.framing.contentLength : 0,
    announcedLength: announcedLengthOf(status, exchange),
    keepAliveTimeoutSeconds: timeoutOf(section.keepAlive),
    upgradeWebSocket: status === 101 && !section.isRepeated(UPGRADE) && section.upgrade.toLowerCase() === 'websocket',
    fields:
      connection.nominated === undefined ? section.fields : withoutNominated(section.fields, connection.nominated),
    hasDate: section.has(DATE) && connection.nominated?.has('date') !== true,
    hasServer: section.has(SERVER) && connection.nominated?.has('server') !== true,
  }
}

function isKeptAlive(minorVersion: 0 | 1, connection: ConnectionOptions): boolean {
  return !connection.close && (minorVersion === 1 || connection.keepAlive)
}

/** RFC 9112 section 6.3. */
function framingOf(status: number, exchange: Exchange): Framing {
  if (status < 200 || status === 204 || status === 304 || exchange.requestMethod === 'HEAD') return 'none'
  return exchange.framing.framing === 'none' ? 'close' : exchange.framing.framing
}

/** RFC 9110 section 8.6: the length that GET would have had, in answers to HEAD and in 304; never in 1xx and 204. */
function announcedLengthOf(status: number, exchange: Exchange): number {
  const mayAnnounce = status === 304 || (exchange.requestMethod === 'HEAD' && status >= 200 && status !== 204)
  return mayAnnounce && exchange.framing.framing === 'length' ? exchange.framing.contentLength : -1
}

/** `timeout=5, max=100`, RFC 2068 section 19.7.1.1. */
function timeoutOf(keepAlive: string): number {
  if (keepAlive === '') return -1
  const timeout = /(?:^|[,\s])timeout\s*=\s*"?(\d{1,9})(?!\d)/i.exec(keepAlive)
  return timeout === null ? -1 : Number(timeout[1])
}
