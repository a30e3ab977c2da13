import { isToken, trimWhitespace } from './octets.ts'

/** What a Connection field asks for, RFC 9110 section 7.6.1. */
export interface ConnectionOptions {
  readonly close: boolean
  readonly keepAlive: boolean
  readonly upgrade: boolean
  /** Lower-case names of fields for this hop only; undefined when there are none, as nearly always. */
  readonly nominated: ReadonlySet<string> | undefined
}

const ABSENT: ConnectionOptions = { close: false, keepAlive: false, upgrade: false, nominated: undefined }
const KEEP_ALIVE: ConnectionOptions = { ...ABSENT, keepAlive: true }
const CLOSE: ConnectionOptions = { ...ABSENT, close: true }
const UPGRADE: ConnectionOptions = { ...ABSENT, upgrade: true }

/** Members that are no tokens are ignored: they can name no field. */
export function parseConnection(value: string): ConnectionOptions {
  switch (value) {
    case '':
      return ABSENT
    case 'keep-alive':
    case 'Keep-Alive':
      return KEEP_ALIVE
    case 'close':
      return CLOSE
    case 'Upgrade':
    case 'upgrade':
      return UPGRADE
    default:
      return parseMembers(value)
  }
}

function parseMembers(value: string): ConnectionOptions {
  let close = false
  let keepAlive = false
  let upgrade = false
  const nominated = new Set<string>()
  for (const member of value.toLowerCase().split(',')) {
    const option = trimWhitespace(member)
    if (option === 'close') close = true
    else if (option === 'keep-alive') keepAlive = true
    else if (option === 'upgrade') upgrade = true
    else if (isToken(option)) nominated.add(option)
  }
  return { close, keepAlive, upgrade, nominated: nominated.size === 0 ? undefined : nominated }
}

/**
 * Field lines without those that Connection names. Framing, Host and identity fields are not among the lines that
 * are copied, so that no nomination takes them away.
 */
export function withoutNominated(fields: string, nominated: ReadonlySet<string>): string {
  let kept = ''
  let at = 0
  while (at < fields.length) {
    const end = fields.indexOf('\r\n', at) + 2
    const name = fields.slice(at, fields.indexOf(':', at)).toLowerCase()
    if (!nominated.has(name)) kept += fields.slice(at, end)
    at = end
  }
  return kept
}
