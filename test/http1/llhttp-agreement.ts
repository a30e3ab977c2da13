import { isDeepStrictEqual } from 'node:util'
import { resolveTarget } from '../../src/http1/request-target.ts'
import { type LlhttpReading, requestsByLlhttp, responsesByLlhttp } from './llhttp.ts'
import type { ReadRequest, StreamReading } from './request-stream.ts'
import type { ResponseReading } from './response-stream.ts'

/** Where llhttp refuses what RFC 9112 allows and the case files ask to serve. */
interface Difference {
  readonly kind: 'request' | 'response'
  readonly fault: string
  readonly reason: string
  /** Octets without which the difference cannot be. */
  readonly where: RegExp
  /** We read it whole, llhttp does not: a test shows that each entry is still needed. */
  readonly sample: string
}

const chunked = 'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n'
const answer = 'HTTP/1.1 200 OK\r\n'

/** Whatever else llhttp refuses that we accept is a fault of ours until it is on this list. */
export const differences: readonly Difference[] = [
  {
    kind: 'request',
    fault: 'HPE_INVALID_METHOD',
    reason: 'it knows a fixed list of methods, RFC 9110 section 9.1 allows any token',
    where: /^/,
    sample: 'FOO / HTTP/1.1\r\nHost: a.test\r\n\r\n',
  },
  {
    kind: 'request',
    fault: 'HPE_INVALID_CHUNK_SIZE',
    reason: 'it takes no whitespace before a chunk extension, RFC 9112 section 7.1.1 asks recipients to',
    where: /[0-9a-f][ \t]+;/i,
    sample: `${chunked}1 ;a\r\nx\r\n0\r\n\r\n`,
  },
  {
    kind: 'request',
    fault: 'HPE_STRICT',
    reason: 'it takes no whitespace in a chunk extension, RFC 9112 section 7.1.1 asks recipients to',
    where: /;[ \t]|[ \t][=;]|=[ \t]/,
    sample: `${chunked}1;a =b\r\nx\r\n0\r\n\r\n`,
  },
  {
    kind: 'request',
    fault: 'HPE_INVALID_CONTENT_LENGTH',
    reason: 'it reads Content-Length in a trailer section, we drop trailers (RFC 9110 section 6.5.1)',
    where: /\r\ncontent-length:/i,
    sample: `${chunked}0\r\nContent-Length: 5\r\n\r\n`,
  },
  {
    kind: 'request',
    fault: 'HPE_INVALID_TRANSFER_ENCODING',
    reason: 'it reads Transfer-Encoding in a trailer section, and takes HTAB after the value for a part of it',
    where: /\r\ntransfer-encoding:/i,
    sample: `${chunked}0\r\nTransfer-Encoding: gzip\r\n\r\n`,
  },
  {
    kind: 'request',
    fault: 'HPE_CLOSED_CONNECTION',
    reason: 'it reads Connection in a trailer section, we drop trailers (RFC 9110 section 6.5.1)',
    where: /\r\nconnection:/i,
    sample: `${chunked}0\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n`,
  },
  {
    kind: 'request',
    fault: 'HPE_INVALID_VERSION',
    reason: 'it knows no minor version above 1, RFC 9110 section 2.5 reads it as the highest known',
    where: /HTTP\/1\.[2-9]\r\n/,
    sample: 'GET / HTTP/1.2\r\nHost: a.test\r\n\r\n',
  },
  {
    kind: 'response',
    fault: 'HPE_INVALID_VERSION',
    reason: 'the same in a response',
    where: /HTTP\/1\.[2-9] /,
    sample: 'HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n',
  },
  {
    kind: 'response',
    fault: 'HPE_INVALID_HEADER_TOKEN',
    reason: 'a proxy takes whitespace before the colon out of a response, RFC 9112 section 5.1',
    where: /[ \t]:/,
    sample: `${answer}X : y\r\nContent-Length: 0\r\n\r\n`,
  },
  {
    kind: 'response',
    fault: 'HPE_CLOSED_CONNECTION',
    reason: 'an interim response ends no connection, whatever it says: the final one follows (RFC 9110 section 15.2)',
    where: /HTTP\/1\.\d 1\d\d/,
    sample: `HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n${answer}Content-Length: 0\r\n\r\n`,
  },
]

/** Why the readings of the same requests are not one; undefined when they are. Octets that we refuse are no matter. */
export function requestDisagreement(octets: Buffer, ours: StreamReading): string | undefined {
  const theirs = requestsByLlhttp(octets)
  const whole = theirs.messages.filter(({ complete }) => complete)
  const fault = unreadFault('request', octets, { theirs, missing: ours.requests.length - whole.length })
  if (fault !== undefined) return fault
  for (const [index, request] of ours.requests.slice(0, whole.length).entries()) {
    const message = whole[index]
    const mine = meaningOf(request)
    const other = {
      method: message?.method,
      target: resolveTarget(message?.target ?? '', message?.method ?? '')?.target,
      minorVersion: Math.min(message?.minorVersion ?? 0, 1),
      keepAlive: message?.keepAlive,
      body: message?.body,
      fields: forwardedFields(message?.fields ?? [], message?.method ?? ''),
    }
    // It has closed the connection over a trailer that we drop.
    if (isExcused('request', octets, 'HPE_CLOSED_CONNECTION')) other.keepAlive = mine.keepAlive
    if (!isDeepStrictEqual(mine, other)) {
      return `request ${index + 1} is ${JSON.stringify(mine)} here and ${JSON.stringify(other)} to llhttp`
    }
  }
  return undefined
}

/** The same for the answer to a request of `method`. */
export function responseDisagreement(octets: Buffer, ours: ResponseReading, method: string): string | undefined {
  const theirs = responsesByLlhttp(octets, method)
  const fault = unreadFault('response', octets, { theirs, missing: ours.heads.length - theirs.messages.length })
  if (fault !== undefined) return fault
  for (const [index, head] of ours.heads.entries()) {
    const message = theirs.messages[index]
    if (message === undefined) return undefined
    if (message.status !== head.status) return `response ${index + 1} has status ${head.status} here, ${message.status}`
  }
  const last = theirs.messages[ours.heads.length - 1]
  const head = ours.heads.at(-1)
  // To llhttp an upgraded connection has no more messages; interim responses have no body for either.
  if (last === undefined || head === undefined || head.status < 200 || ours.refusal !== undefined) return undefined
  if (ours.body !== last.body) return `the body is ${JSON.stringify(ours.body)} here and ${JSON.stringify(last.body)}`
  if (ours.complete && !last.complete) {
    return isExcusedAtAll('response', octets, theirs) ? undefined : 'the response is complete here only'
  }
  return undefined
}

/** llhttp reads fewer messages than we do, and not for a reason that is known. */
function unreadFault(
  kind: Difference['kind'],
  octets: Buffer,
  { theirs, missing }: { readonly theirs: LlhttpReading; readonly missing: number },
): string | undefined {
  if (missing <= 0 || isExcusedAtAll(kind, octets, theirs)) return undefined
  return `${missing} of the messages read here are none to llhttp: ${theirs.fault ?? 'it waits for more'}`
}

function isExcusedAtAll(kind: Difference['kind'], octets: Buffer, { fault }: LlhttpReading): boolean {
  return fault !== undefined && isExcused(kind, octets, fault)
}

function isExcused(kind: Difference['kind'], octets: Buffer, fault: string): boolean {
  const text = octets.toString('latin1')
  return differences.some(one => one.kind === kind && one.fault === fault && one.where.test(text))
}

function meaningOf({ head, body }: ReadRequest) {
  const lines = head.fields.split('\r\n').slice(0, -1)
  return {
    method: head.method,
    target: head.target,
    minorVersion: head.minorVersion,
    keepAlive: head.keepAlive,
    body,
    fields: lines.map(line => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), trimmed(line.slice(colon + 1))]
    }),
  }
}

/** RFC 9110 section 7.6.1 and what clients may not say of themselves, written down a second time. */
const HELD_BACK =
  /^(?:host|connection|content-length|transfer-encoding|upgrade|expect|keep-alive|te|trailer|http2-settings|x-request-id|x-real-ip|x-scheme|x-rewrite-url|forwarded|proxy|proxy-(?:connection|authenticate|authentication-info|authorization)|(?:x-forwarded|x-original|ssl-client)-.+)$/

type Fields = readonly (readonly [name: string, value: string])[]

function forwardedFields(fields: Fields, method: string): Fields {
  const connection = fields.filter(([name]) => name.toLowerCase() === 'connection').map(([, value]) => value)
  const nominated = connection
    .join(',')
    .split(',')
    .map(option => trimmed(option).toLowerCase())
  // RFC 9110 section 7.6.2, written down a second time
  const hops = method === 'OPTIONS' ? Number(fields.find(([name]) => /^max-forwards$/i.test(name))?.[1] ?? 0) : 0
  const counted: Fields = hops > 0 ? [['Max-Forwards', String(Math.min(hops - 1, 2 ** 31 - 1))]] : []
  const forwarded = fields
    .filter(([name]) => !HELD_BACK.test(name.toLowerCase().replaceAll('_', '-')))
    .filter(([name]) => !nominated.includes(name.toLowerCase()))
    .filter(([name]) => hops === 0 || !/^max-forwards$/i.test(name))
    .map(([name, value]) => [name, trimmed(value)] as const)
  return [...forwarded, ...counted]
}

function trimmed(text: string): string {
  return text.replaceAll(/^[ \t]+|[ \t]+$/g, '')
}
