/** An IP address as a number: 32 bits for IPv4, 128 for IPv6. An IPv4-mapped IPv6 address is its IPv4 address. */
export type IpAddress = { readonly family: 4; readonly value: number } | { readonly family: 6; readonly value: bigint }

const mappedPrefix = 0xffffn

/**
 * Reads an address in dotted or colon notation; undefined when it is neither. Strict as RFC 3986 section 3.2.2:
 * no leading zeros and four parts in IPv4. The zone of an IPv6 address (`%eth0`) is dropped.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (!text.includes(':')) {
    const value = parseIpv4(text)
    return value === undefined ? undefined : { family: 4, value }
  }
  const zone = text.indexOf('%')
  const value = parseIpv6(zone < 0 ? text : text.slice(0, zone))
  if (value === undefined) return undefined
  return value >> 32n === mappedPrefix ? { family: 4, value: Number(value & 0xffffffffn) } : { family: 6, value }
}

/** By character, without parts and patterns: a table of 100,000 endpoints is judged whole when a proxy starts. */
function parseIpv4(text: string): number | undefined {
  if (text.length > 15) return undefined
  let value = 0
  let octet = -1
  let dots = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 0x2e) {
      if (octet < 0) return undefined
      value = value * 256 + octet
      octet = -1
      dots += 1
    } else {
      // A zero in front of another digit is octal to some, decimal to others.
      if (code < 0x30 || code > 0x39 || octet === 0) return undefined
      octet = Math.max(0, octet) * 10 + code - 0x30
      if (octet > 255) return undefined
    }
  }
  return dots === 3 && octet >= 0 ? value * 256 + octet : undefined
}

/** Value of an IPv6 address (RFC 4291 section 2.2), not unmapped. */
export function parseIpv6(text: string): bigint | undefined {
  if (text.length > 45) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = parseGroups(halves[0] ?? '', halves.length === 1)
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail]
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n)
}

/** Groups of 16 bits; the last one may be an IPv4 address when the address ends there. */
function parseGroups(text: string, atEnd: boolean): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const groups: number[] = []
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16))
      continue
    }
    const ipv4 = atEnd && index === parts.length - 1 ? parseIpv4(part) : undefined
    if (ipv4 === undefined) return undefined
    groups.push(Math.floor(ipv4 / 0x10000), ipv4 % 0x10000)
  }
  return groups
}
