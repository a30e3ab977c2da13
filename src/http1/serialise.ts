import type { Framing, RequestHead, ResponseHead } from './messages.ts'

/**
 * Heads and framing to send, as latin-1 text: write them with encoding `latin1`. Framing, Connection, Upgrade and
 * Host lines are always our own. Values given here must hold no CR, LF or NUL; what the parsers return holds none.
 */

export const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

/** Field line with the methods that routes are asked for; others pass, too, but CONNECT and TRACE. */
export const ALLOW = 'Allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH\r\n'

/** Ends the data of a chunk. */
export const CHUNK_END = '\r\n'

/** Ends a chunked body. */
export const LAST_CHUNK = '0\r\n\r\n'

/** The size line before `length` octets of data, which CHUNK_END follows; `length` must not be 0. */
export function chunkHeader(length: number): string {
  return `${length.toString(16)}\r\n`
}

/** What the proxy says about its client; a line is left out when its value is empty. */
export interface Forwarding {
  readonly forwardedFor: string
  readonly forwardedHost: string
  readonly forwardedPort: string
  /** Goes into X-Forwarded-Proto and X-Forwarded-Scheme, and into X-Scheme. */
  readonly forwardedProto: string
  readonly realIp: string
}

/** Field lines, each ending in CRLF: the same for all requests of a connection that name the same host. */
export function serialiseForwarding(forwarding: Forwarding): string {
  return (
    line('X-Real-IP', forwarding.realIp) +
    line('X-Forwarded-For', forwarding.forwardedFor) +
    line('X-Forwarded-Host', forwarding.forwardedHost) +
    line('X-Forwarded-Port', forwarding.forwardedPort) +
    line('X-Forwarded-Proto', forwarding.forwardedProto) +
    line('X-Forwarded-Scheme', forwarding.forwardedProto) +
    line('X-Scheme', forwarding.forwardedProto)
  )
}

/** What the proxy adds to a request to the server behind it. */
export interface RequestExtras {
  /** Host field; nearly always the `authority` of the head. */
  readonly host: string
  /** The line is left out when it is empty. */
  readonly requestId: string
  /** Of `serialiseForwarding`. */
  readonly forwarding: string
  /** Replaces the target of the head; undefined forwards it as it is. */
  readonly target?: string | undefined
  /** How the body is sent, when not as the head says. */
  readonly framing?: 'none' | 'length' | 'chunked' | undefined
  readonly contentLength?: number | undefined
  /** More field lines, each ending in CRLF. */
  readonly additionalFields?: string | undefined
}

/** A request for the server behind the proxy, always HTTP/1.1 and without `Connection: close`. */
export function serialiseRequestHead(head: RequestHead, extras: RequestExtras): string {
  const framing = extras.framing ?? head.framing
  const contentLength = extras.contentLength ?? head.contentLength
  return (
    `${head.method} ${extras.target ?? head.target} HTTP/1.1\r\nHost: ${extras.host}\r\n${head.fields}` +
    line('X-Request-ID', extras.requestId) +
    extras.forwarding +
    (extras.additionalFields ?? '') +
    (head.upgradeWebSocket ? UPGRADE_LINES : framingLine(framing, contentLength)) +
    '\r\n'
  )
}

const UPGRADE_LINES = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'

export interface ResponseExtras {
  /** How the body goes to the client; `close` needs `connection: 'close'`, and HTTP/1.0 knows no `chunked`. */
  readonly framing: Framing
  /** Octets of the body with framing `length`. */
  readonly contentLength: number
  /** `keep-alive` is said to HTTP/1.0 clients only; undefined writes no Connection field. */
  readonly connection: 'close' | 'keep-alive' | undefined
  /** IMF-fixdate for a response without Date; empty adds none. */
  readonly date: string
  /** For a response without Server; empty adds none. */
  readonly server: string
  /** More field lines, each ending in CRLF. */
  readonly additionalFields?: string | undefined
}

/** A response to relay to the client; for 101 the lines that complete the upgrade are ours. */
export function serialiseResponseHead(head: ResponseHead, extras: ResponseExtras): string {
  const isInterim = head.status < 200
  return (
    `HTTP/1.1 ${head.status} ${head.reason}\r\n${head.fields}` +
    (head.hasDate || isInterim ? '' : line('Date', extras.date)) +
    (head.hasServer || isInterim ? '' : line('Server', extras.server)) +
    (extras.additionalFields ?? '') +
    (head.upgradeWebSocket ? UPGRADE_LINES : responseFramingLine(head, extras)) +
    (isInterim || extras.connection === undefined ? '' : `Connection: ${extras.connection}\r\n`) +
    '\r\n'
  )
}

/** An interim response other than 101 to relay, such as 103 (RFC 8297); never to an HTTP/1.0 client. */
export function serialiseInterimHead(head: ResponseHead): string {
  return `HTTP/1.1 ${head.status} ${head.reason}\r\n${head.fields}\r\n`
}

/** An answer of the proxy itself. */
export interface OwnResponse {
  readonly status: number
  /** IMF-fixdate. */
  readonly date: string
  /** Server field; empty adds none. */
  readonly server: string
  readonly connection: 'close' | 'keep-alive' | undefined
  /** The request's method was HEAD: the length is told, the body is not sent. */
  readonly headOnly?: boolean | undefined
  /** For people, in place of status and reason; ASCII. */
  readonly text?: string | undefined
  /** More field lines, each ending in CRLF, such as Location or Allow. */
  readonly additionalFields?: string | undefined
}

/** A whole response of the proxy itself: its short text names the status and nothing else. */
export function serialiseOwnResponse(response: OwnResponse): string {
  const reason = reasonPhrase(response.status)
  const hasContent = response.status !== 204 && response.status !== 304 && response.status >= 200
  const body = hasContent ? `${response.text ?? `${response.status} ${reason}`}\n` : ''
  return (
    `HTTP/1.1 ${response.status} ${reason}\r\n` +
    line('Date', response.date) +
    line('Server', response.server) +
    (response.additionalFields ?? '') +
    (hasContent ? `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n` : '') +
    (response.connection === undefined ? '' : `Connection: ${response.connection}\r\n`) +
    `\r\n${response.headOnly === true ? '' : body}`
  )
}

/** Octets of the content of a whole response of `serialiseOwnResponse`, none of which were sent in answer to HEAD. */
export function contentBytes(response: string): number {
  return response.length - response.indexOf('\r\n\r\n') - 4
}

function line(name: string, value: string): string {
  return value === '' ? '' : `${name}: ${value}\r\n`
}

function framingLine(framing: Framing, contentLength: number): string {
  if (framing === 'length') return `Content-Length: ${contentLength}\r\n`
  return framing === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : ''
}

function responseFramingLine(head: ResponseHead, extras: ResponseExtras): string {
  if (head.framing === 'none') return head.announcedLength < 0 ? '' : `Content-Length: ${head.announcedLength}\r\n`
  return framingLine(extras.framing, extras.contentLength)
}

/** RFC 9110 section 15 and the registry of status codes; a code without an entry gets the name of its class. */
const REASON_PHRASES: ReadonlyMap<number, string> = new Map([
  [200, 'OK'],
  [201, 'Created'],
  [204, 'No Content'],
  [301, 'Moved Permanently'],
  [302, 'Found'],
  [303, 'See Other'],
  [304, 'Not Modified'],
  [307, 'Temporary Redirect'],
  [308, 'Permanent Redirect'],
  [400, 'Bad Request'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [408, 'Request Timeout'],
  [413, 'Content Too Large'],
  [414, 'URI Too Long'],
  [417, 'Expectation Failed'],
  [421, 'Misdirected Request'],
  [426, 'Upgrade Required'],
  [429, 'Too Many Requests'],
  [431, 'Request Header Fields Too Large'],
  [500, 'Internal Server Error'],
  [501, 'Not Implemented'],
  [502, 'Bad Gateway'],
  [503, 'Service Unavailable'],
  [504, 'Gateway Timeout'],
  [505, 'HTTP Version Not Supported'],
])

const REASON_CLASSES = ['Unknown', 'Informational', 'Success', 'Redirection', 'Client Error', 'Server Error']

export function reasonPhrase(status: number): string {
  return REASON_PHRASES.get(status) ?? REASON_CLASSES[Math.floor(status / 100)] ?? 'Unknown'
}
