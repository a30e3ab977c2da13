const COLON = 0x3a
const SP = 0x20
const HTAB = 0x09
/** Upper and lower case of a letter differ in this bit. */
const CASE_BIT = 0x20

/**
 * Value of the first of these field lines, each ending in CRLF, with this name (lower case); empty without one.
 * It scans the text and allocates nothing but the value.
 */
export function fieldValue(fields: string, name: string): string {
  let at = 0
  while (at < fields.length) {
    const lineEnd = fields.indexOf('\r\n', at)
    const end = lineEnd < 0 ? fields.length : lineEnd
    const colon = at + name.length
    if (colon < end && fields.charCodeAt(colon) === COLON && hasNameAt(fields, at, name)) {
      let start = colon + 1
      while (start < end && isBlank(fields.charCodeAt(start))) start++
      let last = end
      while (last > start && isBlank(fields.charCodeAt(last - 1))) last--
      return fields.slice(start, last)
    }
    at = end + 2
  }
  return ''
}

/** Is the name (lower case) at this place of the text, whatever the case there? */
export function hasNameAt(text: string, at: number, name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    const wanted = name.charCodeAt(index)
    const found = text.charCodeAt(at + index)
    if (found !== wanted && !(isLowerCase(wanted) && (found | CASE_BIT) === wanted)) return false
  }
  return true
}

function isLowerCase(code: number): boolean {
  return code >= 0x61 && code <= 0x7a
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB
}
