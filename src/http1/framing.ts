import { CONTENT_LENGTH, TRANSFER_ENCODING } from './field-names.ts'
import type { FieldSection } from './field-section.ts'
import { type Refused, refused } from './messages.ts'
import { isToken, NINE, trimWhitespace, ZERO } from './octets.ts'

/** Longest number of digits that a double holds exactly, leading zeros aside. */
const MAX_LENGTH_DIGITS = 15

/** How the fields delimit the body, before the rules for methods and status codes. */
export interface DeclaredFraming {
  readonly kind: 'declared'
  readonly framing: 'none' | 'length' | 'chunked'
  readonly contentLength: number
}

const NONE: DeclaredFraming = { kind: 'declared', framing: 'none', contentLength: 0 }
const CHUNKED: DeclaredFraming = { kind: 'declared', framing: 'chunked', contentLength: 0 }

/**
 * RFC 9112 section 6, without its allowances: Content-Length once and in digits, Transfer-Encoding once, `chunked`
 * and in HTTP/1.1 only, never both.
 */
export function declaredFraming(section: FieldSection, minorVersion: 0 | 1): DeclaredFraming | Refused {
  if (section.has(TRANSFER_ENCODING)) {
    if (section.has(CONTENT_LENGTH)) return refused(400, 'content-length-and-transfer-encoding')
    if (minorVersion === 0) return refused(400, 'transfer-encoding-in-http-1.0')
    if (section.isRepeated(TRANSFER_ENCODING)) return refused(400, 'transfer-encoding-repeated')
    return codingOf(section.transferEncoding)
  }
  if (!section.has(CONTENT_LENGTH)) return NONE
  if (section.isRepeated(CONTENT_LENGTH)) return refused(400, 'content-length-repeated')
  return lengthOf(section.contentLength)
}

/** RFC 9112 sections 6.1 and 6.3: 501 where a coding is unknown, 400 where the field itself is wrong. */
function codingOf(value: string): DeclaredFraming | Refused {
  if (value === 'chunked') return CHUNKED
  const members = value.toLowerCase().split(',').map(trimWhitespace)
  if (!members.every(isToken)) return refused(400, 'transfer-encoding-syntax')
  const chunked = members.indexOf('chunked')
  if (chunked >= 0 && chunked < members.length - 1) return refused(400, 'chunked-not-final')
  if (members.length === 1 && chunked === 0) return CHUNKED
  return refused(501, 'transfer-coding-unknown')
}

function lengthOf(value: string): DeclaredFraming | Refused {
  let contentLength = 0
  let digits = 0
  for (let index = 0; index < value.length; index++) {
    const octet = value.charCodeAt(index)
    if (octet < ZERO || octet > NINE) return refused(400, 'content-length-syntax')
    if (octet !== ZERO || digits > 0) digits++
    contentLength = contentLength * 10 + (octet - ZERO)
  }
  if (value === '') return refused(400, 'content-length-syntax')
  if (digits > MAX_LENGTH_DIGITS) return refused(413, 'content-length-too-large')
  return { kind: 'declared', framing: 'length', contentLength }
}
