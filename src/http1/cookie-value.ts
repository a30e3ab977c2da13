import { hasNameAt } from './field-value.ts'

const EQUALS = 0x3d
const SP = 0x20
const HTAB = 0x09

/**
 * Where the value of the next cookie of this name (lower case; case does not count) begins, in a Cookie field from
 * the offset `from`; -1 without one. A browser may send several of one name, set for different paths, the longest
 * path first (RFC 6265 section 5.4).
 */
export function findCookie(cookie: string, name: string, from: number): number {
  let at = from
  while (at < cookie.length) {
    while (cookie.charCodeAt(at) === SP || cookie.charCodeAt(at) === HTAB) at++
    const equals = at + name.length
    if (cookie.charCodeAt(equals) === EQUALS && hasNameAt(cookie, at, name)) return equals + 1
    at = cookieEnd(cookie, at) + 1
  }
  return -1
}

/** Offset after the cookie that `at` is in. */
export function cookieEnd(cookie: string, at: number): number {
  const end = cookie.indexOf(';', at)
  return end < 0 ? cookie.length : end
}

/** Value of the first cookie of this name (lower case); empty without one. */
export function cookieValue(cookie: string, name: string): string {
  const start = findCookie(cookie, name, 0)
  return start < 0 ? '' : cookie.slice(start, cookieEnd(cookie, start))
}
