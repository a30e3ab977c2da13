import {
  CONNECTION,
  CONTENT_LENGTH,
  COOKIE,
  DATE,
  EXPECT,
  FIELD_COUNT,
  FORWARDED_FOR,
  FORWARDED_HOST,
  FORWARDED_PROTO,
  fieldOf,
  foldName,
  HOP_BY_HOP,
  HOST,
  KEEP_ALIVE,
  MAX_FORWARDS,
  OTHER,
  REFERER,
  REQUEST_ID,
  SERVER,
  TRANSFER_ENCODING,
  UPGRADE,
  USER_AGENT,
} from './field-names.ts'
import type { HeadText } from './head-text.ts'
import { type HeadLimits, INCOMPLETE, type Incomplete, type Refused, refused } from './messages.ts'
import { COLON, CR, HTAB, LF, NAME, SP, VALUE } from './octets.ts'

/**
 * Field lines of a head, RFC 9112 section 5, in one pass. The octets are looked at from the first to the last and
 * the first fault decides, so that what comes out does not depend on how the head was cut into pieces.
 *
 * This file is the hot path of every request and every response: the scan is one function on purpose.
 */

/** How the two directions differ. */
interface SectionRules {
  /** Field → 1 when its line is copied. */
  readonly copied: Uint8Array
  /** RFC 9112 section 5.1: a server refuses whitespace before the colon, a proxy takes it out of a response. */
  readonly whitespaceBeforeColon: 'refuse' | 'remove'
}

const FRAMING_AND_HOP = [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE, KEEP_ALIVE, HOP_BY_HOP]

export const REQUEST_RULES: SectionRules = {
  copied: copiedAre([OTHER, REFERER, USER_AGENT, COOKIE, DATE, SERVER, MAX_FORWARDS]),
  whitespaceBeforeColon: 'refuse',
}

export const RESPONSE_RULES: SectionRules = {
  copied: new Uint8Array(FIELD_COUNT).map((_, field) => (FRAMING_AND_HOP.includes(field) ? 0 : 1)),
  whitespaceBeforeColon: 'remove',
}

function copiedAre(fields: readonly number[]): Uint8Array {
  return new Uint8Array(FIELD_COUNT).map((_, field) => (fields.includes(field) ? 1 : 0))
}

/** What one head's fields say; a value is empty when the field is absent. Lives as long as the head is parsed. */
export class FieldSection {
  /** Bit `1 << field` is set once the field was there, in `repeated` once it was there again. */
  seen = 0
  repeated = 0
  host = ''
  /** All lines, joined by `,`. */
  connection = ''
  contentLength = ''
  transferEncoding = ''
  upgrade = ''
  expect = ''
  keepAlive = ''
  forwardedFor = ''
  forwardedHost = ''
  forwardedProto = ''
  requestId = ''
  referer = ''
  userAgent = ''
  cookie = ''
  maxForwards = ''
  /** Lines to copy, as they came. */
  fields = ''
  /** Offset of the first octet after the empty line. */
  next = 0

  has(field: number): boolean {
    return (this.seen & (1 << field)) !== 0
  }

  isRepeated(field: number): boolean {
    return (this.repeated & (1 << field)) !== 0
  }
}

/** Where the section lies: `start` is the first octet after the start line, `end` the end of what has arrived. */
interface SectionRange {
  readonly bytes: Buffer
  readonly text: HeadText
  readonly start: number
  readonly end: number
  readonly limits: HeadLimits
}

/** Fill `section`; undefined when the head is complete. */
export function scanFields(
  section: FieldSection,
  range: SectionRange,
  rules: SectionRules,
): Incomplete | Refused | undefined {
  const { bytes, text, start, limits } = range
  const hardEnd = start + limits.maxHeaderBytes
  const end = range.end < hardEnd ? range.end : hardEnd
  let at = start
  let count = 0
  /** First octet of the lines to copy that are not yet in `copied`. */
  let copyFrom = start
  let copied = ''
  while (at < end && bytes[at] !== CR) {
    const lineStart = at
    count++
    if (count > limits.maxHeaderCount) return refused(431, 'too-many-header-fields')
    let hash = 0
    let octet = 0
    while (at < end && (octet = NAME[bytes[at] as number] as number) !== 0) {
      hash = foldName(hash, octet)
      at++
    }
    if (at === end) return outOfOctets(end, hardEnd)
    if (at === lineStart) return refusedName(bytes, at, true)
    const nameEnd = at
    if (bytes[at] !== COLON && rules.whitespaceBeforeColon === 'remove') at = skipWhitespace(bytes, at, end)
    if (at === end) return outOfOctets(end, hardEnd)
    if (bytes[at] !== COLON) return refusedName(bytes, at, false)
    const colon = at++
    while (at < end && VALUE[bytes[at] as number] === 1) at++
    if (at === end) return outOfOctets(end, hardEnd)
    if (bytes[at] !== CR) return refused(400, bytes[at] === LF ? 'bare-lf' : 'field-value-octet')
    if (at + 1 === end) return outOfOctets(end, hardEnd)
    if (bytes[at + 1] !== LF) return refused(400, 'bare-cr')
    const field = fieldOf(bytes, lineStart, nameEnd, hash)
    if (field !== OTHER) note(section, field, text.trimmed(colon + 1, at))
    at += 2
    const isCopied = rules.copied[field] === 1
    if (isCopied && colon === nameEnd) continue
    if (copyFrom < lineStart) copied += text.slice(copyFrom, lineStart)
    if (isCopied) copied += text.slice(lineStart, nameEnd) + text.slice(colon, at)
    copyFrom = at
  }
  if (at + 1 >= end) return outOfOctets(end, hardEnd)
  if (bytes[at + 1] !== LF) return refused(400, 'bare-cr')
  if (copyFrom < at) copied = copied === '' ? text.slice(copyFrom, at) : copied + text.slice(copyFrom, at)
  section.fields = copied
  section.next = at + 2
  return undefined
}

function outOfOctets(end: number, hardEnd: number): Incomplete | Refused {
  return end === hardEnd ? refused(431, 'header-too-large') : INCOMPLETE
}

function refusedName(bytes: Buffer, at: number, isFirst: boolean): Refused {
  switch (bytes[at] as number) {
    case LF:
      return refused(400, 'bare-lf')
    case COLON:
      return refused(400, 'empty-field-name')
    case SP:
    case HTAB:
      return refused(400, isFirst ? 'folded-field-line' : 'whitespace-in-field-name')
    default:
      return refused(400, 'field-name-octet')
  }
}

function skipWhitespace(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at++
  return at
}

function note(section: FieldSection, field: number, value: string): void {
  const bit = 1 << field
  const again = (section.seen & bit) !== 0
  section.seen |= bit
  if (again) section.repeated |= bit
  switch (field) {
    case HOST:
      section.host = value
      break
    case CONNECTION:
      section.connection = again ? `${section.connection},${value}` : value
      break
    case CONTENT_LENGTH:
      section.contentLength = value
      break
    case TRANSFER_ENCODING:
      section.transferEncoding = value
      break
    case UPGRADE:
      section.upgrade = value
      break
    case EXPECT:
      section.expect = value
      break
    case KEEP_ALIVE:
      section.keepAlive = value
      break
    default:
      noteForwarded(section, field, value)
  }
}

/** The rest of `note`: fields whose lines are joined in the value that the proxy shows or sends on. */
function noteForwarded(section: FieldSection, field: number, value: string): void {
  switch (field) {
    case FORWARDED_FOR:
      section.forwardedFor = joined(section.forwardedFor, value, ', ')
      break
    case FORWARDED_HOST:
      section.forwardedHost = joined(section.forwardedHost, value, ', ')
      break
    case FORWARDED_PROTO:
      section.forwardedProto = joined(section.forwardedProto, value, ', ')
      break
    case REQUEST_ID:
      section.requestId = joined(section.requestId, value, ', ')
      break
    case REFERER:
      section.referer = value
      break
    case USER_AGENT:
      section.userAgent = value
      break
    case COOKIE:
      section.cookie = joined(section.cookie, value, '; ')
      break
    case MAX_FORWARDS:
      section.maxForwards = value
      break
    default:
  }
}

function joined(before: string, value: string, separator: string): string {
  return before === '' ? value : before + separator + value
}
