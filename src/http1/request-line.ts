import type { HeadText } from './head-text.ts'
import { INCOMPLETE, type Incomplete, type Refused, refused } from './messages.ts'
import { CR, DOT, LF, latin1, NINE, SP, TARGET, TOKEN, ZERO } from './octets.ts'

/** Longer than any registered method; RFC 9112 section 3 asks for 501 then. */
const MAX_METHOD_OCTETS = 32

/** RFC 9112 section 2.2 asks to skip at least one empty line before a request line; a client may not go on for ever. */
const MAX_EMPTY_LINES = 4

/** Octets of `HTTP/1.1`. */
const VERSION_OCTETS = 8
const HTTP_SLASH = [0x48, 0x54, 0x54, 0x50, 0x2f]

/** A request line as it was written: nothing is judged yet but its form. */
export interface RequestLine {
  readonly kind: 'request-line'
  readonly method: string
  readonly target: string
  readonly majorVersion: number
  readonly minorVersion: number
  /** Offset of the first field line. */
  readonly next: number
}

/** RFC 9112 section 3: `method SP request-target SP HTTP-version CRLF`, one SP each. */
export function scanRequestLine(
  bytes: Buffer,
  range: { readonly text: HeadText; readonly start: number; readonly end: number },
  maxRequestLineBytes: number,
): RequestLine | Incomplete | Refused {
  const start = skipEmptyLines(bytes, range.start, range.end)
  if (typeof start !== 'number') return start
  const hardEnd = start + maxRequestLineBytes + 2
  const end = range.end < hardEnd ? range.end : hardEnd
  let at = start
  while (at < end && TOKEN[bytes[at] as number] === 1) at++
  if (at - start > MAX_METHOD_OCTETS) return refused(501, 'method-too-long')
  if (at === end) return outOfOctets(end, hardEnd)
  const methodEnd = at
  if (bytes[at] !== SP || methodEnd === start) return refused(400, 'method-octet')
  const targetStart = ++at
  while (at < end && TARGET[bytes[at] as number] === 1) at++
  if (at === end) return outOfOctets(end, hardEnd)
  const targetEnd = at
  if (bytes[at] !== SP || targetEnd === targetStart) return refused(400, 'target-octet')
  const versionStart = ++at
  const fault = versionFault(bytes, versionStart, end)
  if (fault === 'incomplete') return outOfOctets(end, hardEnd)
  if (fault !== undefined) return refused(400, fault)
  return {
    kind: 'request-line',
    method: range.text.slice(start, methodEnd),
    target: range.text.slice(targetStart, targetEnd),
    majorVersion: (bytes[versionStart + 5] as number) - ZERO,
    minorVersion: (bytes[versionStart + 7] as number) - ZERO,
    next: versionStart + VERSION_OCTETS + 2,
  }
}

/**
 * Whether the octets, refused or not whole, begin a request of method HEAD: the answer to it has no content, whatever
 * is wrong with the rest (RFC 9110 section 9.3.2).
 */
export function beginsHeadRequest(bytes: Buffer, start: number, end: number): boolean {
  let at = start
  while (at < end && (bytes[at] === CR || bytes[at] === LF)) at++
  return end - at > 4 && latin1(bytes, at, at + 5) === 'HEAD '
}

/** Offset of the first octet that is not of an empty line. */
function skipEmptyLines(bytes: Buffer, start: number, end: number): number | Incomplete | Refused {
  let at = start
  while (at < end && bytes[at] === CR) {
    if ((at - start) / 2 >= MAX_EMPTY_LINES) return refused(400, 'too-many-empty-lines')
    if (at + 1 === end) return INCOMPLETE
    if (bytes[at + 1] !== LF) return refused(400, 'bare-cr')
    at += 2
  }
  return at
}

function outOfOctets(end: number, hardEnd: number): Incomplete | Refused {
  return end === hardEnd ? refused(414, 'request-line-too-long') : INCOMPLETE
}

/** What is wrong with `HTTP-version CRLF`, found at its first wrong octet; undefined when it is whole and right. */
function versionFault(bytes: Buffer, start: number, end: number): string | undefined {
  const fault = versionNumberFault(bytes, start, end)
  if (fault !== undefined) return fault
  const at = start + VERSION_OCTETS
  if (at >= end) return 'incomplete'
  if (bytes[at] !== CR) return bytes[at] === LF ? 'bare-lf' : 'version-syntax'
  if (at + 1 >= end) return 'incomplete'
  return bytes[at + 1] === LF ? undefined : 'bare-cr'
}

/** The same for `HTTP-version` alone, RFC 9112 section 2.3: `HTTP/` DIGIT `.` DIGIT. */
export function versionNumberFault(bytes: Buffer, start: number, end: number): string | undefined {
  for (let index = 0; index < VERSION_OCTETS; index++) {
    if (start + index >= end) return 'incomplete'
    if (!isVersionOctet(bytes[start + index] as number, index)) return 'version-syntax'
  }
  return undefined
}

function isVersionOctet(octet: number, index: number): boolean {
  if (index < HTTP_SLASH.length) return octet === HTTP_SLASH[index]
  return index === 6 ? octet === DOT : octet >= ZERO && octet <= NINE
}
