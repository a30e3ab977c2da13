import { NAME, UNDERSCORE } from './octets.ts'

/**
 * The fields that the proxy does not just copy. A name is recognised while it is scanned: its octets are folded
 * into a hash, the hash gives a slot of a table, and only a hit is compared.
 */

export const OTHER = 0
export const HOST = 1
export const CONNECTION = 2
export const CONTENT_LENGTH = 3
export const TRANSFER_ENCODING = 4
export const UPGRADE = 5
export const EXPECT = 6
export const FORWARDED_FOR = 7
export const FORWARDED_HOST = 8
export const FORWARDED_PROTO = 9
export const REQUEST_ID = 10
export const REFERER = 11
export const USER_AGENT = 12
export const COOKIE = 13
export const DATE = 14
export const SERVER = 15
export const KEEP_ALIVE = 16
/** Meant for the next hop only: never passed on in either direction. */
export const HOP_BY_HOP = 17
/** Claims about the client, its address, its host or its certificate that only the proxy may make. */
export const IDENTITY = 18
export const MAX_FORWARDS = 19

export const FIELD_COUNT = 20

/** Names → what they are. RFC 9110 section 7.6.1, RFC 7239, and the conventions of proxies and CGI back ends. */
export const KNOWN_FIELDS: ReadonlyArray<readonly [name: string, field: number]> = [
  ['host', HOST],
  ['connection', CONNECTION],
  ['content-length', CONTENT_LENGTH],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['upgrade', UPGRADE],
  ['expect', EXPECT],
  ['x-forwarded-for', FORWARDED_FOR],
  ['x-forwarded-host', FORWARDED_HOST],
  ['x-forwarded-proto', FORWARDED_PROTO],
  ['x-request-id', REQUEST_ID],
  ['referer', REFERER],
  ['user-agent', USER_AGENT],
  ['cookie', COOKIE],
  ['date', DATE],
  ['server', SERVER],
  ['keep-alive', KEEP_ALIVE],
  ['max-forwards', MAX_FORWARDS],
  ['proxy-connection', HOP_BY_HOP],
  ['proxy-authenticate', HOP_BY_HOP],
  ['proxy-authentication-info', HOP_BY_HOP],
  ['proxy-authorization', HOP_BY_HOP],
  ['te', HOP_BY_HOP],
  ['trailer', HOP_BY_HOP],
  ['http2-settings', HOP_BY_HOP],
  ['forwarded', IDENTITY],
  ['proxy', IDENTITY],
  ['x-real-ip', IDENTITY],
  ['x-scheme', IDENTITY],
  ['x-rewrite-url', IDENTITY],
]

/** Families of names; each begins with `x` or `s`. */
const IDENTITY_PREFIXES = ['x-forwarded-', 'x-original-', 'ssl-client-']
const LETTER_S = 0x73
const LETTER_X = 0x78

/** Chosen so that no two known names share a slot: a test holds it so. */
const SLOT_MASK = 2047

/** Fold the next octet of a name, already mapped by `NAME`, into the hash. */
export function foldName(hash: number, octet: number): number {
  return (hash * 31 + octet) | 0
}

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 11)) & SLOT_MASK
}

export function slotOfName(name: string): number {
  let hash = 0
  for (let index = 0; index < name.length; index++) hash = foldName(hash, name.charCodeAt(index))
  return slotOf(hash)
}

/** Slot → index in KNOWN_FIELDS plus one; 0 is an empty slot. */
const SLOTS = (() => {
  const slots = new Uint8Array(SLOT_MASK + 1)
  KNOWN_FIELDS.forEach(([name], index) => {
    slots[slotOfName(name)] = index + 1
  })
  return slots
})()

/**
 * Which field the name at `start` … `end` is, whatever its case. A name with `_` for `-` is no such field for HTTP,
 * but is for some back ends: it is IDENTITY or HOP_BY_HOP when the field itself would not be copied, else OTHER.
 */
export function fieldOf(bytes: Buffer, start: number, end: number, hash: number): number {
  const index = SLOTS[slotOf(hash)] as number
  if (index !== 0) {
    const [name, field] = KNOWN_FIELDS[index - 1] as readonly [string, number]
    if (name.length === end - start && beginsWith(bytes, start, name)) {
      return hasUnderscore(bytes, start, end) ? aliasOf(field) : field
    }
  }
  const first = NAME[bytes[start] as number]
  return first === LETTER_X || first === LETTER_S ? familyOf(bytes, start, end) : OTHER
}

function familyOf(bytes: Buffer, start: number, end: number): number {
  for (const prefix of IDENTITY_PREFIXES) {
    if (end - start > prefix.length && beginsWith(bytes, start, prefix)) return IDENTITY
  }
  return OTHER
}

function beginsWith(bytes: Buffer, start: number, name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    if (NAME[bytes[start + index] as number] !== name.charCodeAt(index)) return false
  }
  return true
}

function hasUnderscore(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (bytes[at] === UNDERSCORE) return true
  }
  return false
}

function aliasOf(field: number): number {
  switch (field) {
    case FORWARDED_FOR:
    case FORWARDED_HOST:
    case FORWARDED_PROTO:
    case REQUEST_ID:
    case IDENTITY:
      return IDENTITY
    case USER_AGENT:
    case MAX_FORWARDS:
      return OTHER
    default:
      return HOP_BY_HOP
  }
}
