import { type IpAddress, parseIpAddress, parseIpv6 } from './ip-address.ts'

/** Addresses from `start` to `end`, both included. Plain data that `structuredClone` can carry. */
export type SourceRange =
  | { readonly family: 4; readonly start: number; readonly end: number }
  | { readonly family: 6; readonly start: bigint; readonly end: bigint }

/** Reads one address or one network in CIDR notation, as in `192.0.2.0/24`; bits of the host part are ignored. */
export function parseSourceRange(text: string): SourceRange | undefined {
  const slash = text.indexOf('/')
  if (text.includes('%')) return undefined
  if (slash < 0) return rangeOfAddress(parseIpAddress(text))
  const address = text.slice(0, slash)
  const lengthText = text.slice(slash + 1)
  if (!/^(0|[1-9]\d{0,2})$/.test(lengthText)) return undefined
  const length = Number(lengthText)
  return address.includes(':') ? ipv6Range(address, length) : ipv4Range(address, length)
}

/** Does one of the ranges hold the address? An IPv4-mapped IPv6 address counts as IPv4; what is no address, never. */
export function matches(ranges: readonly SourceRange[], address: string): boolean {
  const parsed = parseIpAddress(address)
  return parsed !== undefined && holds(ranges, parsed)
}

/** The same of an address that has been read. */
export function holds(ranges: readonly SourceRange[], { family, value }: IpAddress): boolean {
  for (const range of ranges) {
    if (range.family === family && value >= range.start && value <= range.end) return true
  }
  return false
}

function rangeOfAddress(address: IpAddress | undefined): SourceRange | undefined {
  if (address === undefined) return undefined
  return address.family === 4
    ? { family: 4, start: address.value, end: address.value }
    : { family: 6, start: address.value, end: address.value }
}

function ipv4Range(text: string, length: number): SourceRange | undefined {
  const address = parseIpAddress(text)
  if (address?.family !== 4 || length > 32) return undefined
  const size = 2 ** (32 - length)
  const start = Math.floor(address.value / size) * size
  return { family: 4, start, end: start + size - 1 }
}

function ipv6Range(text: string, length: number): SourceRange | undefined {
  const value = parseIpv6(text)
  if (value === undefined || length > 128) return undefined
  const size = 1n << BigInt(128 - length)
  const start = (value / size) * size
  // A network of IPv4-mapped addresses is the IPv4 network: clients with such an address count as IPv4.
  if (length >= 96 && start >> 32n === 0xffffn) {
    return { family: 4, start: Number(start & 0xffffffffn), end: Number((start + size - 1n) & 0xffffffffn) }
  }
  return { family: 6, start, end: start + size - 1n }
}
