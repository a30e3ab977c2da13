/**
 * What the parsers of this room make of bytes (RFC 9112). Text is latin-1: one character is one octet.
 */

/** How the body of a message is delimited (RFC 9112 section 6.3). `close`, to the end of the connection, is for responses only. */
export type Framing = 'none' | 'length' | 'chunked' | 'close'

export interface RequestHead {
  readonly method: string
  /** Origin-form request target as it is forwarded: dot segments resolved, query included; or `*`. */
  readonly target: string
  /** The target's path without its query: what routes are matched against is what is forwarded. */
  readonly path: string
  /** Lower case, without port and trailing dot; an IPv6 literal with its brackets; empty with an empty Host field. */
  readonly host: string
  /** Host field to forward: as the client wrote it, or the authority of an absolute-form target. */
  readonly authority: string
  readonly minorVersion: 0 | 1
  /** The client lets the connection be used again. */
  readonly keepAlive: boolean
  readonly framing: 'none' | 'length' | 'chunked'
  /** Octets of the body with framing `length`, else 0. */
  readonly contentLength: number
  readonly expectContinue: boolean
  readonly upgradeWebSocket: boolean
  /**
   * Field lines to forward, each ending in CRLF: without Host, hop-by-hop fields, those that Connection names,
   * framing fields and those that carry the client's identity (`identity` has these).
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
  /** For WebSocket handshakes, forwarded as they are. */
  readonly cookie: string
}

export interface ResponseHead {
  readonly status: number
  readonly reason: string
  readonly minorVersion: 0 | 1
  readonly keepAlive: boolean
  readonly framing: Framing
  readonly contentLength: number
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
  readonly maxRequestLineBytes: number
  readonly maxHeaderBytes: number
  readonly maxHeaderCount: number
}
