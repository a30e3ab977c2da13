/**
 * Why a request failed. One row per reason: its code is stable and goes to the access log's counters, its status to
 * the client. No row's text names anything internal.
 */

export interface ProxyError {
  /** Status of the answer; with 499 there is nobody left to answer. */
  readonly status: number
  readonly side: 'client' | 'upstream' | 'proxy'
  /**
   * `if-unsent`: nothing of the request has left, so any endpoint may get it.
   * `if-reused`: a kept connection died before the first byte of the response; only for replayable requests.
   */
  readonly retry: 'never' | 'if-reused' | 'if-unsent'
}

export const proxyErrors = {
  bad_request: { status: 400, side: 'client', retry: 'never' },
  request_timeout: { status: 408, side: 'client', retry: 'never' },
  body_too_large: { status: 413, side: 'client', retry: 'never' },
  client_gone: { status: 499, side: 'client', retry: 'never' },
  client_too_slow: { status: 499, side: 'client', retry: 'never' },
  no_route: { status: 404, side: 'client', retry: 'never' },
  source_not_allowed: { status: 403, side: 'client', retry: 'never' },
  overloaded: { status: 503, side: 'proxy', retry: 'never' },
  route_refused: { status: 503, side: 'proxy', retry: 'never' },
  internal: { status: 500, side: 'proxy', retry: 'never' },
  no_endpoint: { status: 503, side: 'upstream', retry: 'never' },
  endpoint_not_allowed: { status: 502, side: 'proxy', retry: 'if-unsent' },
  connect_failed: { status: 502, side: 'upstream', retry: 'if-unsent' },
  connect_timeout: { status: 504, side: 'upstream', retry: 'if-unsent' },
  upstream_closed: { status: 502, side: 'upstream', retry: 'if-reused' },
  upstream_malformed: { status: 502, side: 'upstream', retry: 'never' },
  upstream_truncated: { status: 502, side: 'upstream', retry: 'never' },
  upstream_read_timeout: { status: 504, side: 'upstream', retry: 'never' },
  upstream_send_timeout: { status: 504, side: 'upstream', retry: 'never' },
} as const satisfies Record<string, ProxyError>

export type ProxyErrorCode = keyof typeof proxyErrors

export const proxyErrorCodes = Object.keys(proxyErrors) as readonly ProxyErrorCode[]
