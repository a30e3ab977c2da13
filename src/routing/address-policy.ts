import { type IpAddress, parseIpAddress } from './ip-address.ts'
import { holds, parseSourceRange, type SourceRange } from './source-ranges.ts'

/** Why an address may not be an endpoint. */
export type AddressRefusal = 'loopback' | 'unspecified' | 'link-local' | 'multicast' | 'metadata' | 'invalid'

const ranges = (...texts: string[]): readonly SourceRange[] =>
  texts.map(parseSourceRange).filter(range => range !== undefined)

const loopback = ranges('127.0.0.0/8', '::1')
const unspecified = ranges('0.0.0.0/8', '::')
const linkLocal = ranges('169.254.0.0/16', 'fe80::/10')
const multicast = ranges('224.0.0.0/4', '255.255.255.255', 'ff00::/8')
/** Metadata services of clouds that are not link-local. */
const metadata = ranges('fd00:ec2::254', '100.100.100.200', '168.63.129.16')
const metadataNames = new Set(['metadata.google.internal', 'metadata.goog', 'instance-data'])

/** Judges the address of an EndpointSlice; undefined when traffic may go there. */
export function refuseEndpointAddress(address: string, allowLoopback: boolean): AddressRefusal | undefined {
  const parsed = parseIpAddress(address)
  return parsed === undefined ? 'invalid' : refuseEndpoint(parsed, allowLoopback)
}

const endpointRanges = [...loopback, ...unspecified, ...linkLocal, ...multicast]

/** First octets of the IPv4 addresses that need a closer look: hardly any of a hundred thousand endpoints does. */
const suspectOctets: ReadonlySet<number> = new Set(
  endpointRanges.flatMap(range => {
    if (range.family === 6) return []
    const [first, last] = [Math.floor(range.start / 2 ** 24), Math.floor(range.end / 2 ** 24)]
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  }),
)

function refuseEndpoint(address: IpAddress, allowLoopback: boolean): AddressRefusal | undefined {
  if (address.family === 4 && !suspectOctets.has(Math.floor(address.value / 2 ** 24))) return undefined
  const embedded = embeddedIpv4(address)
  if (embedded !== undefined) return refuseEndpoint(embedded, false)
  if (holds(loopback, address)) return allowLoopback ? undefined : 'loopback'
  if (holds(unspecified, address)) return 'unspecified'
  if (holds(linkLocal, address)) return 'link-local'
  return holds(multicast, address) ? 'multicast' : undefined
}

/** Judges an address that a name of a Service of type ExternalName stands for: cloud metadata is refused too. */
export function refuseExternalAddress(address: string): AddressRefusal | undefined {
  const parsed = parseIpAddress(address)
  if (parsed === undefined) return 'invalid'
  const target = embeddedIpv4(parsed) ?? parsed
  return refuseEndpoint(target, false) ?? (holds(metadata, target) ? 'metadata' : undefined)
}

/** NAT64 (RFC 6052), 6to4 (RFC 3056) and IPv4-compatible addresses (RFC 4291 section 2.5.5.1). */
const nat64Prefix = 0x64_ff9bn << 64n
const sixToFourPrefix = 0x2002n

/** The IPv4 address to which a translator or tunnel on the way would take an IPv6 address. */
function embeddedIpv4(address: IpAddress): IpAddress | undefined {
  if (address.family !== 6) return undefined
  const { value } = address
  if (value >> 112n === sixToFourPrefix) return lastBits(value >> 80n)
  if (value >> 32n === nat64Prefix || (value >> 32n === 0n && value > 1n)) return lastBits(value)
  return undefined
}

function lastBits(value: bigint): IpAddress {
  return { family: 4, value: Number(value & 0xffff_ffffn) }
}

/**
 * Judges `spec.externalName`, in lower case and without trailing dot. What it resolves to must be judged again with
 * `refuseExternalAddress` at every resolution.
 */
export function refuseExternalName(name: string): AddressRefusal | undefined {
  if (parseIpAddress(name) !== undefined) return refuseExternalAddress(name)
  if (name.length > 253 || !/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name)) return 'invalid'
  // Resolvers read `2130706433` or `0x7f.1` as IPv4 addresses: a last label that is a number is no name.
  if (/(^|\.)(\d+|0x[0-9a-f]*)$/.test(name)) return 'invalid'
  if (name === 'localhost' || name.endsWith('.localhost') || name === 'localhost.localdomain') return 'loopback'
  return metadataNames.has(name) ? 'metadata' : undefined
}
