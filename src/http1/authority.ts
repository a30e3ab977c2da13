import { COLON, DOT, HEXDIG, NINE, REG_NAME, ZERO } from './octets.ts'

/** RFC 1035 section 2.3.4; a longer name can be no host of a route. */
const MAX_HOST_OCTETS = 255
const MAX_PORT = 65_535
const LETTER_A = 0x41
const LETTER_Z = 0x5a

/**
 * The host of `host [":" port]`, RFC 3986 section 3.2.2: lower case, without port and without one trailing dot; an
 * IPv6 literal keeps its brackets. Nothing is decoded. Undefined when the authority is not valid, which includes an
 * empty host and user information.
 */
export function hostOfAuthority(authority: string): string | undefined {
  if (authority.startsWith('[')) return hostOfLiteral(authority)
  let end = 0
  let hasUpperCase = false
  while (end < authority.length) {
    const octet = authority.charCodeAt(end)
    if (octet === COLON) break
    if (REG_NAME[octet] !== 1) return undefined
    if (octet >= LETTER_A && octet <= LETTER_Z) hasUpperCase = true
    end++
  }
  if (!isPort(authority, end)) return undefined
  if (authority.charCodeAt(end - 1) === DOT) end--
  if (end <= 0 || end > MAX_HOST_OCTETS) return undefined
  const host = end === authority.length ? authority : authority.slice(0, end)
  if (host.includes('%') && !hasValidEscapes(host)) return undefined
  return hasUpperCase ? host.toLowerCase() : host
}

/** What follows the host: nothing, or a colon and a port number, which may be empty. */
function isPort(authority: string, start: number): boolean {
  if (start === authority.length) return true
  if (authority.charCodeAt(start) !== COLON) return false
  let port = 0
  for (let index = start + 1; index < authority.length; index++) {
    const octet = authority.charCodeAt(index)
    if (octet < ZERO || octet > NINE) return false
    port = port * 10 + (octet - ZERO)
    if (port > MAX_PORT) return false
  }
  return true
}

function hasValidEscapes(host: string): boolean {
  return !/%(?![0-9A-Fa-f]{2})/.test(host)
}

function hostOfLiteral(authority: string): string | undefined {
  const end = authority.indexOf(']')
  if (end < 0 || !isIpv6(authority.slice(1, end)) || !isPort(authority, end + 1)) return undefined
  return authority.slice(0, end + 1).toLowerCase()
}

/** IPv6address of RFC 3986 section 3.2.2: eight groups, one run of which may be `::`, the last two may be IPv4. */
function isIpv6(text: string): boolean {
  const halves = text.split('::')
  if (halves.length > 2) return false
  let groups = 0
  for (const [index, half] of halves.entries()) {
    const count = groupsOf(half, index === halves.length - 1)
    if (count < 0) return false
    groups += count
  }
  return halves.length === 2 ? groups <= 7 : groups === 8
}

/** Number of 16-bit groups, or -1. */
function groupsOf(half: string, isLast: boolean): number {
  if (half === '') return 0
  const parts = half.split(':')
  let groups = 0
  for (const [index, part] of parts.entries()) {
    if (isLast && index === parts.length - 1 && part.includes('.')) {
      if (!isIpv4(part)) return -1
      groups += 2
    } else {
      if (!isHexGroup(part)) return -1
      groups++
    }
  }
  return groups
}

function isHexGroup(part: string): boolean {
  if (part.length < 1 || part.length > 4) return false
  for (let index = 0; index < part.length; index++) {
    if (HEXDIG[part.charCodeAt(index)] === 255) return false
  }
  return true
}

function isIpv4(text: string): boolean {
  return /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text)
}
