import { hostOfAuthority } from './authority.ts'
import { type ConnectionOptions, parseConnection, withoutNominated } from './connection-options.ts'
import { EXPECT, HOST, MAX_FORWARDS, UPGRADE } from './field-names.ts'
import { FieldSection, REQUEST_RULES, scanFields } from './field-section.ts'
import { type DeclaredFraming, declaredFraming } from './framing.ts'
import { HeadText } from './head-text.ts'
import { hopsLeft, withHopTaken } from './max-forwards.ts'
import { type HeadLimits, type ParsedRequestHead, type Refused, type RequestHead, refused } from './messages.ts'
import { LF } from './octets.ts'
import { type RequestLine, scanRequestLine } from './request-line.ts'
import { type ResolvedTarget, resolveTarget } from './request-target.ts'

/** A head up to this length is looked at again whenever it grew; a longer line that does not end, at each such step. */
const RESCAN_STEP_OCTETS = 1024

/** CONNECT asks for a tunnel to anywhere, TRACE echoes fields that the client must not see (RFC 9110 section 9.3). */
const REFUSED_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE'])

/**
 * The request head that begins at `start` (RFC 9112). Octets from `end` on have not arrived yet. It never throws;
 * refused heads say with which status to answer, and the connection is closed after that answer. The result is the
 * same however the octets were cut into pieces, when it is called again from the same start with more of them.
 */
export function parseRequestHead(bytes: Buffer, start: number, end: number, limits: HeadLimits): ParsedRequestHead {
  const text = new HeadText(bytes, start, end)
  const line = scanRequestLine(bytes, { text, start, end }, limits.maxRequestLineBytes)
  if (line.kind !== 'request-line') return line
  const section = new FieldSection()
  const stopped = scanFields(section, { bytes, text, start: line.next, end, limits }, REQUEST_RULES)
  if (stopped !== undefined) return stopped
  if (line.majorVersion !== 1) return refused(505, 'version-not-supported')
  if (REFUSED_METHODS.has(line.method)) return refused(405, 'method-not-allowed')
  const head = requestHeadOf(line, section)
  return 'kind' in head ? head : { kind: 'head', head, next: section.next }
}

/**
 * Whether it is worth parsing an incomplete head again now that the octets from `seen` to `end` have come: the head is
 * short, so that a fault is answered as soon as it is seen, a line ended in them, or the head grew past a step, so that
 * a limit may have been passed. It keeps a head that trickles in from being scanned once per octet.
 */
export function headMayProgress(bytes: Buffer, seen: number, end: number): boolean {
  if (end <= RESCAN_STEP_OCTETS) return true
  if (Math.floor(seen / RESCAN_STEP_OCTETS) !== Math.floor(end / RESCAN_STEP_OCTETS)) return true
  const lineFeed = bytes.indexOf(LF, seen)
  return lineFeed >= 0 && lineFeed < end
}

function requestHeadOf(line: RequestLine, section: FieldSection): RequestHead | Refused {
  // a minor version above 1 is read as the highest one known, RFC 9110 section 2.5
  const minorVersion = line.minorVersion === 0 ? 0 : 1
  const target = resolveTarget(line.target, line.method)
  if (target === undefined) return refused(400, 'target-syntax')
  const host = hostOf(section, minorVersion)
  if (host === undefined) return refused(400, 'host-syntax')
  const framing = declaredFraming(section, minorVersion)
  if (framing.kind === 'refused') return framing
  if (section.has(EXPECT) && (section.isRepeated(EXPECT) || section.expect.toLowerCase() !== '100-continue')) {
    return refused(417, 'expectation-unknown')
  }
  const hops = section.has(MAX_FORWARDS) && line.method === 'OPTIONS' ? hopsLeft(section) : -1
  if (typeof hops !== 'number') return hops
  return assembled({ line, section, target, host, framing, minorVersion, hops })
}

/** The host of the Host field: exactly one and valid, but that HTTP/1.0 may leave it out. Undefined to refuse. */
function hostOf(section: FieldSection, minorVersion: 0 | 1): string | undefined {
  if (!section.has(HOST)) return minorVersion === 0 ? '' : undefined
  return section.isRepeated(HOST) ? undefined : hostOfAuthority(section.host)
}

interface RequestParts {
  readonly line: RequestLine
  readonly section: FieldSection
  readonly target: ResolvedTarget
  readonly host: string
  readonly framing: DeclaredFraming
  readonly minorVersion: 0 | 1
  /** How often it may be forwarded; -1 where that is not counted. */
  readonly hops: number
}

function assembled(parts: RequestParts): RequestHead {
  const { line, section, target, framing, minorVersion } = parts
  const connection = parseConnection(section.connection)
  const { nominated } = connection
  return {
    method: line.method,
    scheme: target.scheme,
    target: target.target,
    path: target.path,
    host: target.host ?? parts.host,
    authority: target.authority ?? section.host,
    minorVersion,
    keepAlive: !connection.close && (minorVersion === 1 || connection.keepAlive),
    framing: framing.framing,
    contentLength: framing.contentLength,
    expectContinue: section.has(EXPECT) && minorVersion === 1 && hasBody(framing),
    finalRecipient: parts.hops === 0,
    upgradeWebSocket: asksForWebSocket(parts, connection),
    fields: forwardedFields(parts, nominated),
    identity: {
      forwardedFor: section.forwardedFor,
      forwardedHost: section.forwardedHost,
      forwardedProto: section.forwardedProto,
      requestId: section.requestId,
    },
    // what is not forwarded is not acted upon either
    referer: nominated?.has('referer') === true ? '' : section.referer,
    userAgent: nominated?.has('user-agent') === true ? '' : section.userAgent,
    cookie: nominated?.has('cookie') === true ? '' : section.cookie,
  }
}

function forwardedFields({ section, hops }: RequestParts, nominated: ReadonlySet<string> | undefined): string {
  const fields = nominated === undefined ? section.fields : withoutNominated(section.fields, nominated)
  return hops > 0 ? withHopTaken(fields, hops) : fields
}

function hasBody(framing: DeclaredFraming): boolean {
  return framing.framing === 'chunked' || framing.contentLength > 0
}

/** RFC 6455 section 4.1, and no body: what follows the head is never both content and frames. */
function asksForWebSocket(parts: RequestParts, connection: ConnectionOptions): boolean {
  const { line, section, framing, minorVersion } = parts
  if (!section.has(UPGRADE) || !connection.upgrade || minorVersion === 0 || line.method !== 'GET') return false
  return framing.framing === 'none' && !section.isRepeated(UPGRADE) && section.upgrade.toLowerCase() === 'websocket'
}
