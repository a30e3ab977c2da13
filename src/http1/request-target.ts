import { hostOfAuthority } from './authority.ts'
import { HEXDIG, PERCENT, SLASH } from './octets.ts'

/** What absolute-form says before the path; undefined for the other forms. */
interface TargetOrigin {
  readonly scheme: 'http' | 'https' | undefined
  readonly authority: string | undefined
  readonly host: string | undefined
}

const WITHOUT_ORIGIN: TargetOrigin = { scheme: undefined, authority: undefined, host: undefined }

/** A request target in the form in which it is matched and forwarded. */
export interface ResolvedTarget extends TargetOrigin {
  /** Path and query, or `*`. */
  readonly target: string
  /** Path of the target, its escapes in normal form. */
  readonly path: string
}

/**
 * The path with escapes in normal form, RFC 3986 section 6.2.2: letters, digits and `-._~` as they are, others in upper
 * case. Whoever writes a path in another form means the same to every server, so it must be the same to routes. What
 * the other escapes stand for is the back end's to say.
 */
function comparablePath(path: string): string {
  if (!path.includes('%')) return path
  return path.replace(/%[0-9a-f]{2}/gi, escape => {
    const octet = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return /[\w.~-]/.test(octet) ? octet : escape.toUpperCase()
  })
}

/** One path segment: plain, `.`, `..` (their dots perhaps escaped), or not to be served. */
type Segment = 'plain' | 'dot' | 'dot-dot' | 'refused'

/** RFC 9112 section 3.2; undefined when the target is not valid. Its octets are all of class TARGET. */
export function resolveTarget(raw: string, method: string): ResolvedTarget | undefined {
  if (raw.charCodeAt(0) === SLASH) return originForm(raw, WITHOUT_ORIGIN)
  if (raw === '*') {
    return method === 'OPTIONS' ? resolved('*', '*', WITHOUT_ORIGIN) : undefined
  }
  return absoluteForm(raw, method)
}

function originForm(raw: string, origin: TargetOrigin): ResolvedTarget | undefined {
  const mark = raw.indexOf('?')
  const rawPath = mark < 0 ? raw : raw.slice(0, mark)
  if (!rawPath.includes('%') && !rawPath.includes('/.')) return resolved(raw, rawPath, origin)
  const path = resolvePath(rawPath)
  if (path === undefined) return undefined
  return resolved(mark < 0 ? path : path + raw.slice(mark), comparablePath(path), origin)
}

function resolved(target: string, path: string, { scheme, authority, host }: TargetOrigin): ResolvedTarget {
  return { target, path, scheme, authority, host }
}

function absoluteForm(raw: string, method: string): ResolvedTarget | undefined {
  const prefix = /^http(s?):\/\//i.exec(raw)
  if (prefix === null) return undefined
  const start = prefix[0].length
  const end = endOfAuthority(raw, start)
  const authority = raw.slice(start, end)
  const host = hostOfAuthority(authority)
  if (host === undefined) return undefined
  const origin: TargetOrigin = { scheme: prefix[1] === '' ? 'http' : 'https', authority, host }
  const rest = raw.slice(end)
  // RFC 9112 section 3.2.4: OPTIONS for the server as a whole
  if (rest === '' && method === 'OPTIONS') return resolved('*', '*', origin)
  return originForm(rest.startsWith('/') ? rest : `/${rest}`, origin)
}

function endOfAuthority(raw: string, start: number): number {
  let end = start
  while (end < raw.length && raw[end] !== '/' && raw[end] !== '?') end++
  return end
}

/**
 * The path with its dot segments resolved (RFC 3986 section 5.2.4), escaped dots included. Other escapes stay as
 * they are and empty segments are kept. Undefined with a malformed escape, an escaped NUL, or a segment that hides
 * dot segments behind an escaped slash or backslash.
 */
export function resolvePath(path: string): string | undefined {
  const segments = path.slice(1).split('/')
  const resolved: string[] = []
  for (const [index, segment] of segments.entries()) {
    const kind = kindOf(segment)
    if (kind === 'refused') return undefined
    if (kind === 'plain') {
      resolved.push(segment)
      continue
    }
    if (kind === 'dot-dot') resolved.pop()
    if (index === segments.length - 1) resolved.push('')
  }
  return `/${resolved.join('/')}`
}

function kindOf(segment: string): Segment {
  if (!segment.includes('%')) return kindOfPlain(segment)
  if (!hasValidEscapes(segment)) return 'refused'
  const dotted = segment.replace(/%2e/gi, '.')
  const parts = dotted.split(/%2f|%5c/i)
  if (parts.length === 1) return kindOfPlain(dotted)
  return parts.every(part => kindOfPlain(part) === 'plain') ? 'plain' : 'refused'
}

function kindOfPlain(segment: string): Segment {
  if (segment === '.') return 'dot'
  return segment === '..' ? 'dot-dot' : 'plain'
}

/** Two HEXDIG after each percent sign, and not 00, which ends a string in some back ends. */
function hasValidEscapes(segment: string): boolean {
  for (let index = 0; index < segment.length; index++) {
    if (segment.charCodeAt(index) !== PERCENT) continue
    const high = hexdigAt(segment, index + 1)
    const low = hexdigAt(segment, index + 2)
    if (high === 255 || low === 255 || high + low === 0) return false
    index += 2
  }
  return true
}

function hexdigAt(text: string, index: number): number {
  return HEXDIG[text.charCodeAt(index)] ?? 255
}
