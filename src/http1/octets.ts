/** Classes of octets (RFC 9110 section 5.6, RFC 3986 section 2): one table look-up an octet instead of comparisons. */

export const HTAB = 0x09
export const LF = 0x0a
export const CR = 0x0d
export const SP = 0x20
export const DOUBLE_QUOTE = 0x22
export const PERCENT = 0x25
export const DOT = 0x2e
export const SLASH = 0x2f
export const ZERO = 0x30
export const NINE = 0x39
export const COLON = 0x3a
export const SEMICOLON = 0x3b
export const EQUALS = 0x3d
export const BACKSLASH = 0x5c
export const UNDERSCORE = 0x5f

const TOKEN_PUNCTUATION = "!#$%&'*+-.^_`|~"
const ALPHANUMERIC = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const REG_NAME_PUNCTUATION = "-._~!$&'()*+,;=%"

function classOf(characters: string): Uint8Array {
  const table = new Uint8Array(256)
  for (const character of characters) table[character.charCodeAt(0)] = 1
  return table
}

function classOfRange(from: number, to: number): Uint8Array {
  return new Uint8Array(256).fill(1, from, to + 1)
}

/** tchar: methods, field names, list members. */
export const TOKEN = classOf(TOKEN_PUNCTUATION + ALPHANUMERIC)

/**
 * tchar → what names are compared by: lower case, and `-` for `_`, because CGI-like back ends make one variable
 * of both. 0 for what is no tchar.
 */
export const NAME = TOKEN.map((isToken, octet) => {
  if (isToken === 0) return 0
  if (octet === UNDERSCORE) return 0x2d
  return octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet
})

/** field-vchar, obs-text, SP and HTAB. */
export const VALUE = (() => {
  const table = classOfRange(SP, 0xff)
  table[HTAB] = 1
  table[0x7f] = 0
  return table
})()

/** What a request target may hold: printable ASCII but for `#` and the backslash, which some read as a slash. */
export const TARGET = (() => {
  const table = classOfRange(0x21, 0x7e)
  table[0x23] = 0
  table[BACKSLASH] = 0
  return table
})()

/** reg-name, RFC 3986 section 3.2.2. */
export const REG_NAME = classOf(REG_NAME_PUNCTUATION + ALPHANUMERIC)

/** HEXDIG → its value; 255 for any other octet. */
export const HEXDIG = (() => {
  const table = new Uint8Array(256).fill(255)
  for (let value = 0; value < 16; value++) {
    const digit = value.toString(16)
    table[digit.charCodeAt(0)] = value
    table[digit.toUpperCase().charCodeAt(0)] = value
  }
  return table
})()

/** Present in every Node since 4, without the argument checks of `toString`; its types leave it out. */
interface Latin1Sliceable {
  latin1Slice(start: number, end: number): string
}

export function latin1(bytes: Buffer, start: number, end: number): string {
  return (bytes as unknown as Latin1Sliceable).latin1Slice(start, end)
}

/** The same text on its own: a cut of a longer string keeps all of that in memory. */
export function detached(text: string): string {
  return latin1(Buffer.from(text, 'latin1'), 0, text.length)
}

/** `String.prototype.trim` would also take octets such as A0, which are no whitespace in HTTP. */
export function trimWhitespace(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isWhitespace(text.charCodeAt(from))) from++
  while (to > from && isWhitespace(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

function isWhitespace(octet: number): boolean {
  return octet === SP || octet === HTAB
}

export function isToken(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (TOKEN[text.charCodeAt(index)] !== 1) return false
  }
  return text.length > 0
}
