import type { ProxySettings } from '../api/settings.ts'

/** What one finished request says of itself. Text is as it came from the wire: it is escaped here. */
export interface AccessRecord {
  readonly clientAddress: string
  /** Empty when no head could be read. */
  readonly method: string
  readonly target: string
  readonly minorVersion: number
  readonly host: string
  readonly status: number
  readonly bodyBytesSent: number
  readonly referer: string
  readonly userAgent: string
  /** Octets of head and body received. */
  readonly requestBytes: number
  readonly requestMs: number
  /** Empty for requests that belong to no backend. */
  readonly upstreamName: string
  /** Of every attempt, in order, joined by `, `; empty without one. */
  readonly upstreamAddress: string
  readonly upstreamResponseBytes: string
  readonly upstreamSeconds: string
  readonly upstreamStatus: string
  readonly requestId: string
  readonly namespace: string
  readonly ingress: string
  readonly service: string
  /** Why the proxy refused the request or gave it up: a code of `errors.ts`, or of the parsers; else empty. */
  readonly reason: string
}

export interface LogTimes {
  readonly logTime: string
  readonly isoTime: string
}

/**
 * ingress-nginx's default `log-format-upstream`. Where no request could be read, the second brackets, which are for the
 * name of an alternative upstream, say why.
 */
export function formatText(record: AccessRecord, { logTime }: LogTimes): string {
  const isRequest = record.method !== ''
  const request = isRequest ? `${record.method} ${record.target} HTTP/1.${record.minorVersion}` : ''
  return (
    `${record.clientAddress} - - [${logTime}] "${escapeText(request)}" ${record.status} ${record.bodyBytesSent} ` +
    `"${orDash(escapeText(record.referer))}" "${orDash(escapeText(record.userAgent))}" ${record.requestBytes} ` +
    `${seconds(record.requestMs)} [${record.upstreamName}] [${isRequest ? '' : record.reason}] ${orDash(record.upstreamAddress)} ` +
    `${orDash(record.upstreamResponseBytes)} ${orDash(record.upstreamSeconds)} ${orDash(record.upstreamStatus)} ` +
    `${record.requestId}\n`
  )
}

/** The same fields by the names of nginx's variables, and why a request failed. */
export function formatJson(record: AccessRecord, { isoTime }: LogTimes): string {
  return `${JSON.stringify({
    time: isoTime,
    remote_addr: record.clientAddress,
    remote_user: '',
    request_method: record.method,
    request_uri: record.target,
    server_protocol: record.method === '' ? '' : `HTTP/1.${record.minorVersion}`,
    host: record.host,
    status: record.status,
    body_bytes_sent: record.bodyBytesSent,
    http_referer: record.referer,
    http_user_agent: record.userAgent,
    request_length: record.requestBytes,
    request_time: Number(seconds(record.requestMs)),
    proxy_upstream_name: record.upstreamName,
    proxy_alternative_upstream_name: '',
    upstream_addr: record.upstreamAddress,
    upstream_response_length: record.upstreamResponseBytes,
    upstream_response_time: record.upstreamSeconds,
    upstream_status: record.upstreamStatus,
    req_id: record.requestId,
    namespace: record.namespace,
    ingress_name: record.ingress,
    service_name: record.service,
    reason: record.reason,
  })}\n`
}

export function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}

/** As nginx escapes: what is not printable ASCII, the quote and the backslash become `\xHH`; text is latin-1. */
export function escapeText(text: string): string {
  return /[^\x20\x21\x23-\x5b\x5d-\x7e]/.test(text)
    ? text.replaceAll(
        /[^\x20\x21\x23-\x5b\x5d-\x7e]/g,
        octet => `\\x${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
      )
    : text
}

function orDash(text: string): string {
  return text === '' ? '-' : text
}

/** Lines of one batch on the way to stdout, and of those that wait behind it. */
const flushCharacters = 65_536
const maxWaitingCharacters = 1_048_576
const maxBatchesUnderWay = 2

/**
 * Collects lines and sends them in batches. At most two batches are under way; behind them a bounded text waits, and
 * beyond that lines are dropped and counted, so that a stdout nobody reads never holds up a request.
 */
export class AccessLog {
  readonly #send: (batch: string) => void
  readonly #dropped: (lines: number) => void
  #format: ProxySettings['accessLog'] = 'text'
  #waiting = ''
  #underWay = 0

  constructor(send: (batch: string) => void, dropped: (lines: number) => void) {
    this.#send = send
    this.#dropped = dropped
  }

  set format(format: ProxySettings['accessLog']) {
    this.#format = format
  }

  get enabled(): boolean {
    return this.#format !== 'off'
  }

  write(record: AccessRecord, times: LogTimes): void {
    if (this.#format === 'off') return
    if (this.#waiting.length >= maxWaitingCharacters) return this.#dropped(1)
    this.#waiting += this.#format === 'json' ? formatJson(record, times) : formatText(record, times)
    if (this.#waiting.length >= flushCharacters) this.flush()
  }

  /** Called by the coarse clock, so that a quiet worker's lines come out too. */
  flush(): void {
    if (this.#waiting === '' || this.#underWay >= maxBatchesUnderWay) return
    this.#underWay++
    const batch = this.#waiting
    this.#waiting = ''
    this.#send(batch)
  }

  /** Every line has been written or dropped. */
  get settled(): boolean {
    return this.#waiting === '' && this.#underWay === 0
  }

  /** One batch has been written. */
  written(): void {
    this.#underWay--
    if (this.#waiting.length >= flushCharacters) this.flush()
  }
}
