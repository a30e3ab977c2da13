/**
 * What the parsers of this room make of bytes (RFC 9112). Text is latin-1: one character is one octet.
 */

/** How a body is delimited (RFC 9112 section 6.3). `close`, to the end of the connection, is for responses only. */
export type Framing = 'none' | 'length' | 'chunked' | 'close'

export interface RequestHead {
  readonly method: string
  /** Of an absolute-form target: with `https` it must have come over a secured connection (RFC 9110 section 7.4). */
  readonly scheme: 'http' | 'https' | undefined
  /** Origin-form request target as it is forwarded: dot segments resolved, query included; or `*`. */
  readonly target: string
  /**
   * The target's path without its query: what routes are matched against is what is forwarded, but for escapes in
   * normal form: letters, digits and `-._~` are not escaped, others in upper case (RFC 3986 section 6.2.2).
   */
  readonly path: string
  /** Lower case, without port and trailing dot; an IPv6 literal has its brackets; empty for HTTP/1.0 without Host. */
  readonly host: string
  /** Host field to forward: as the client wrote it, or the authority of an absolute-form target. */
  readonly authority: string
  readonly minorVersion: 0 | 1
  /** The client lets the connection be used again. */
  readonly keepAlive: boolean
  readonly framing: 'none' | 'length' | 'chunked'
  /** Octets of the body with framing `length`, else 0. */
  readonly contentLength: number
  /** The client waits for `100 Continue` before it sends its body; false when there is no body or for HTTP/1.0. */
  readonly expectContinue: boolean
  /** An OPTIONS request that may not be forwarded: `Max-Forwards: 0` (RFC 9110 section 7.6.2). */
  readonly finalRecipient: boolean
  readonly upgradeWebSocket: boolean
  /**
   * Field lines to forward, each ending in CRLF: without Host, Expect, hop-by-hop fields, those that Connection
   * names, framing fields and those that carry the client's identity (`identity` has these). Max-Forwards of an OPTIONS
   * request has one hop less.
   */
  readonly fields: string
  /** Values of fields that the proxy itself sets; empty strings when absent, list fields joined by `, `. */
  readonly identity: {
    readonly forwardedFor: string
    readonly forwardedHost: string
    readonly forwardedProto: string
    readonly requestId: string
  }
  /** For the access log; empty when absent. */
  readonly referer: string
  readonly userAgent: string
  /** Value of the Cookie field (it is in `fields` too); several lines are joined by `; `. */
  readonly cookie: string
}

export interface ResponseHead {
  readonly status: number
  readonly reason: string
  readonly minorVersion: 0 | 1
  /** The connection may be used again once the body was read: never with framing `close`, never after 101. */
  readonly keepAlive: boolean
  /** `none` for interim responses, 204, 304 and answers to HEAD, whatever their fields say. */
  readonly framing: Framing
  /** Octets of the body with framing `length`, else 0. */
  readonly contentLength: number
  /** Content-Length to relay though no body follows (answers to HEAD and 304); -1 without one. */
  readonly announcedLength: number
  /** Seconds after which the server closes an idle connection (`Keep-Alive: timeout=`); -1 when it does not say. */
  readonly keepAliveTimeoutSeconds: number
  /** Status 101 with `Upgrade: websocket`. */
  readonly upgradeWebSocket: boolean
  /** Field lines to relay, each ending in CRLF, without hop-by-hop and framing fields. */
  readonly fields: string
  readonly hasDate: boolean
  readonly hasServer: boolean
}

/** Why a message is refused. `status` is what the proxy answers the client; `reason` is stable, for the log. */
export interface Refusal {
  readonly status: 400 | 405 | 408 | 413 | 414 | 417 | 431 | 501 | 502 | 505
  readonly reason: string
}

export interface HeadLimits {
  /** Octets of the request line without its CRLF. */
  readonly maxRequestLineBytes: number
  /** Octets of all that follows the start line, the empty line included. */
  readonly maxHeaderBytes: number
  readonly maxHeaderCount: number
}

/** More bytes are needed: call again with the grown buffer. */
export interface Incomplete {
  readonly kind: 'incomplete'
}

/** The message must not be served, and the connection that it came on ends with it. */
export interface Refused {
  readonly kind: 'refused'
  readonly refusal: Refusal
}

/** `next` is the offset of the first octet after the head. */
interface Parsed<Head> {
  readonly kind: 'head'
  readonly head: Head
  readonly next: number
}

export type ParsedRequestHead = Parsed<RequestHead> | Incomplete | Refused

export type ParsedResponseHead = Parsed<ResponseHead> | Incomplete | Refused

export const INCOMPLETE: Incomplete = { kind: 'incomplete' }

export function refused(status: Refusal['status'], reason: string): Refused {
  return { kind: 'refused', refusal: { status, reason } }
}
