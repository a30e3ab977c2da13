import type { RequestHead, ResponseHead } from '../http1/messages.ts'
import {
  CHUNK_END,
  CONTINUE,
  chunkHeader,
  LAST_CHUNK,
  serialiseInterimHead,
  serialiseOwnResponse,
  serialiseRequestHead,
  serialiseResponseHead,
} from '../http1/serialise.ts'
import type { Backend, Route } from '../routing/model.ts'
import { seconds } from './access-log.ts'
import { type BoundRoute, check } from './bound-route.ts'
import { type ClientIdentity, requestExtras } from './client-identity.ts'
import { type ProxyErrorCode, proxyErrors } from './errors.ts'
import { upstreamName } from './held-backends.ts'
import type { Answer, RequestFacts } from './phases/phase.ts'
import type { TlsClient } from './tls-client.ts'
import type { UpstreamConnection, UpstreamUser } from './upstream-connection.ts'
import type { WorkerContext } from './worker-context.ts'

/**
 * One request and its response. Its life, in the order of this file:
 *
 *  1. `start`: the client connection has read a head. Host and path find a route; none is 404.
 *  2. phases: what the route asks for may answer instead of its backend.
 *  3. attempt: an endpoint is chosen, a kept connection taken or a new one opened.
 *  4. forward: the head goes up, then the body as it comes. Both directions stop reading when the other is slow.
 *  5. response: its head goes down, then its body as it comes.
 *  6. failure: another attempt while nothing can have happened yet, an answer of ours while none has begun, else the
 *     client's connection is cut, so that it sees that something is missing.
 *  7. finish: exactly once, whatever happened: connection kept or closed, counters, access log.
 *
 * A hot path: one object a request, no closure, promise or timer. Longer than most files, because this order is what
 * a reader looks for.
 */

/**
 * What becomes of the client's connection. `cut`: it is destroyed at once. `reset`: so that a client sees it for whom
 * the end of the connection would be the end of the response.
 */
export type Ending = 'keep' | 'close' | 'cut' | 'reset'

/** What an exchange needs of the connection it came on. */
export interface Client {
  readonly context: WorkerContext
  /** False when no more should be sent before `Exchange.clientDrained`. */
  send(data: Buffer | string): boolean
  cork(): void
  uncork(): void
  /** The endpoint does not keep up: stop reading the request's body. */
  pauseBody(): void
  resumeBody(): void
  /** What TLS says about the client; undefined without TLS. */
  tlsClient(): TlsClient | undefined
  /** From now on bytes go to `Exchange.tunnel`. */
  startTunnel(): void
  /** The connection may be used again after this request, as far as the connection knows. */
  mayKeepAlive(): boolean
  /** The exchange is over. */
  finished(ending: Ending): void
}

const serverName = 'ingress-fleet'
const idempotentMethods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'PROPFIND',
  'REPORT',
])
const healthPath = '/healthz'

export class Exchange implements UpstreamUser, RequestFacts {
  readonly head: RequestHead
  readonly #client: Client
  readonly #context: WorkerContext
  readonly #identity: ClientIdentity
  readonly #requestId: string
  readonly #startedMs: number
  readonly #headBytes: number
  #route: Route | undefined
  #bound: BoundRoute | undefined
  #backend: Backend | undefined
  #upstream: UpstreamConnection | undefined
  /** The head has gone up on the present connection. */
  #forwarding = false
  /** Inside `start`, which the client calls while it reads: more of the request may follow at once. */
  #starting = false
  #corked: UpstreamConnection | undefined
  /** Body that came before the connection was ready: at most what was read at once, since the client is paused. */
  #early: Buffer[] | undefined
  #bodyComplete: boolean
  #bodyBytes = 0
  #bodyBytesSent = 0
  #attempts = 0
  #tried = 0
  #endpointIndex = -1
  /** Attempts that cost next to nothing: the endpoint refused the connection. */
  #refusals = 0
  #attemptStartedMs = 0
  /** Of the response to the client; 0 before it began. */
  #status = 0
  #response: ResponseHead | undefined
  #chunkedDown = false
  #closeDelimited = false
  #keepAlive = false
  #tunnelling = false
  #sentBytes = 0
  #attemptBytes = 0
  #finished = false
  // Of all attempts, for the access log.
  #addresses = ''
  #responseBytes = ''
  #responseSeconds = ''
  #statuses = ''

  constructor(client: Client, head: RequestHead, identity: ClientIdentity, headBytes: number) {
    this.#client = client
    this.#context = client.context
    this.head = head
    this.#identity = identity
    this.#headBytes = headBytes
    this.#requestId = client.context.requestIds.of(head.identity.requestId)
    this.#startedMs = performance.now()
    this.#bodyComplete = head.framing === 'none' || (head.framing === 'length' && head.contentLength === 0)
    this.#context.counters.add('requestsInFlight')
  }

  // 1. start

  start(): void {
    const { table, routes } = this.#context
    const found = table.find(this.head.host, this.head.path)
    if (found === undefined) return this.#answer(this.#withoutRoute())
    this.#route = found.route
    this.#bound = routes.of(found.host, found.route)
    const answer = check(this.#bound, this)
    if (answer !== undefined) return this.#answer(answer)
    this.#backend = found.route.backend === undefined ? undefined : table.backend(found.route.backend)
    if (this.#backend === undefined) return this.fail('no_endpoint')
    this.#starting = true
    this.#attempt()
    this.#starting = false
    if (this.head.expectContinue && !this.#finished) this.#client.send(CONTINUE)
  }

  #withoutRoute(): Answer {
    if (this.#context.table.host(this.head.host) !== undefined) return { status: 404, error: 'no_route' }
    const { method, path } = this.head
    if (path === healthPath && (method === 'GET' || method === 'HEAD')) return { status: 200 }
    // Whoever asks for hosts that nobody serves is likely to be guessing: one guess a connection.
    return { status: 404, error: 'no_route', close: true }
  }

  // 2. phases: what they look at

  get secure(): boolean {
    return this.#identity.secure
  }

  get clientAddress(): string {
    return this.#identity.address
  }

  get tlsClient(): TlsClient | undefined {
    return this.#client.tlsClient()
  }

  get redirectHost(): string {
    return this.#identity.host
  }

  /** Longest body of this request; 0 is unlimited. */
  get maxBodyBytes(): number {
    return this.#bound?.maxBodyBytes ?? this.#context.settings.limits.maxBodyBytes
  }

  // 3. attempt

  #attempt(): void {
    const bound = this.#bound
    if (bound === undefined) return this.fail('internal')
    const { upstreams, counters } = this.#context
    const index = this.#choose()
    const backend = this.#backend
    // After a kept connection died, so may have all others: a second attempt gets a new one.
    const upstream =
      index < 0 || backend === undefined ? undefined : upstreams.connection(backend, index, this.#attempts > 0)
    if (upstream === undefined) return this.fail('no_endpoint')
    if (this.#attempts > 0) counters.add('upstreamRetries')
    this.#attempts++
    if (index < 31) this.#tried |= 1 << index
    this.#endpointIndex = index
    this.#upstream = upstream
    this.#forwarding = false
    this.#attemptStartedMs = performance.now()
    this.#attemptBytes = 0
    upstream.begin(this, this.head.method, bound)
  }

  /** Another attempt may find that all endpoints were replaced since the request began: the present ones are asked. */
  #choose(): number {
    const backend = this.#backend
    if (backend === undefined) return -1
    const { upstreams, table } = this.#context
    const index = upstreams.choose(backend, this.#tried)
    const present = index < 0 ? table.backend(backend.id) : undefined
    if (present === undefined || present === backend) return index
    this.#backend = present
    this.#tried = 0
    return upstreams.choose(present, 0)
  }

  // 4. forward

  upstreamReady(): void {
    const upstream = this.#upstream
    if (upstream === undefined) return
    const host = this.#route?.options.upstreamVhost ?? this.head.authority
    this.#forwarding = true
    this.#corked = upstream
    upstream.cork()
    const certificateFields = this.#bound?.judgesClients === true ? this.#client.tlsClient()?.fields : undefined
    let more = upstream.send(
      serialiseRequestHead(this.head, requestExtras(this.#identity, host, this.#requestId, certificateFields)),
    )
    const early = this.#early
    this.#early = undefined
    for (const piece of early ?? []) more = this.#forwardPiece(upstream, piece)
    if (this.#bodyComplete) this.#endRequest(upstream)
    if (!this.#starting) this.requestReadEnds()
    if (more) this.#client.resumeBody()
  }

  /** A piece of the request's body, decoded. */
  requestBody(bytes: Buffer, start: number, end: number): void {
    if (this.#finished) return
    this.#bodyBytes += end - start
    const piece = bytes.subarray(start, end)
    const upstream = this.#upstream
    if (upstream !== undefined && this.#forwarding) {
      if (!this.#forwardPiece(upstream, piece)) this.#client.pauseBody()
      return
    }
    this.#early ??= []
    this.#early.push(piece)
    this.#client.pauseBody()
  }

  /** What one read of the client brought has been given: head and body leave as one piece. */
  requestReadEnds(): void {
    this.#corked?.uncork()
    this.#corked = undefined
  }

  requestBodyEnd(): void {
    if (this.#finished || this.#bodyComplete) return
    this.#bodyComplete = true
    if (this.#upstream !== undefined && this.#forwarding) this.#endRequest(this.#upstream)
  }

  #forwardPiece(upstream: UpstreamConnection, piece: Buffer): boolean {
    this.#bodyBytesSent += piece.length
    if (this.head.framing !== 'chunked') return upstream.send(piece)
    upstream.send(chunkHeader(piece.length))
    upstream.send(piece)
    return upstream.send(CHUNK_END)
  }

  #endRequest(upstream: UpstreamConnection): void {
    if (this.head.framing === 'chunked') upstream.send(LAST_CHUNK)
    upstream.awaitResponse()
  }

  upstreamDrained(): void {
    this.#client.resumeBody()
  }

  // 5. response

  upstreamInterim(head: ResponseHead): void {
    if (this.head.minorVersion === 1) this.#client.send(serialiseInterimHead(head))
  }

  upstreamHead(head: ResponseHead): void {
    if (head.status === 101) return this.#startTunnel(head)
    this.#response = head
    this.#status = head.status
    const framing = this.#framingDown(head)
    this.#chunkedDown = framing === 'chunked'
    this.#closeDelimited = framing === 'close'
    // An answer before the end of the request leaves the rest of its body on the connection: not to be used again.
    this.#keepAlive = this.#bodyComplete && framing !== 'close' && this.#client.mayKeepAlive()
    this.#sendDown(
      serialiseResponseHead(head, {
        framing,
        contentLength: head.contentLength,
        connection: this.#connectionField(),
        date: this.#context.clock.httpDate,
        server: serverName,
      }),
    )
  }

  /** A body without a length goes to HTTP/1.1 in chunks, to HTTP/1.0 until the connection closes. */
  #framingDown(head: ResponseHead): ResponseHead['framing'] {
    if (head.framing === 'none' || head.framing === 'length') return head.framing
    return this.head.minorVersion === 1 ? 'chunked' : 'close'
  }

  #connectionField(): 'close' | 'keep-alive' | undefined {
    if (!this.#keepAlive) return 'close'
    return this.head.minorVersion === 0 ? 'keep-alive' : undefined
  }

  upstreamBody(bytes: Buffer, start: number, end: number): void {
    const length = end - start
    this.#sentBytes += length
    this.#attemptBytes += length
    const piece = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end)
    if (!this.#chunkedDown) {
      this.#sendDown(piece)
      return
    }
    this.#client.send(chunkHeader(length))
    this.#client.send(piece)
    this.#sendDown(CHUNK_END)
  }

  upstreamReadBegins(): void {
    this.#client.cork()
  }

  upstreamReadEnds(): void {
    this.#client.uncork()
  }

  upstreamEnd(): void {
    if (this.#chunkedDown) this.#client.send(LAST_CHUNK)
    const upstream = this.#upstream
    this.#upstream = undefined
    this.#endAttempt(upstream, String(this.#status))
    upstream?.release(this.#bodyComplete)
    this.#finish(this.#keepAlive ? 'keep' : 'close')
  }

  #sendDown(data: Buffer | string): void {
    if (!this.#client.send(data)) this.#upstream?.pause()
  }

  clientDrained(): void {
    this.#upstream?.resume()
  }

  #startTunnel(head: ResponseHead): void {
    if (!this.head.upgradeWebSocket || !head.upgradeWebSocket) {
      const upstream = this.#upstream
      upstream?.destroy()
      return this.upstreamFailed('upstream_malformed')
    }
    this.#tunnelling = true
    this.#response = head
    this.#status = 101
    this.#context.counters.add('tunnelsOpen')
    this.#sendDown(
      serialiseResponseHead(head, { framing: 'none', contentLength: 0, connection: undefined, date: '', server: '' }),
    )
    this.#upstream?.awaitResponse()
    this.#client.startTunnel()
  }

  upstreamTunnel(bytes: Buffer, start: number, end: number): void {
    this.#sentBytes += end - start
    this.#attemptBytes += end - start
    this.#sendDown(bytes.subarray(start, end))
  }

  /** Bytes of the client in a tunnel. */
  tunnel(bytes: Buffer, start: number, end: number): void {
    this.#bodyBytes += end - start
    if (this.#upstream?.send(bytes.subarray(start, end)) === false) this.#client.pauseBody()
  }

  /** The client will send no more through the tunnel. */
  tunnelEnd(): void {
    this.#upstream?.end()
  }

  /** The proxy stops: a tunnel cannot end by itself. */
  closeTunnel(): void {
    if (!this.#tunnelling) return
    const upstream = this.#upstream
    this.#upstream = undefined
    this.#endAttempt(upstream, '101')
    upstream?.destroy()
    this.#finish('close')
  }

  get tunnelling(): boolean {
    return this.#tunnelling
  }

  // 6. failure

  upstreamFailed(code: ProxyErrorCode): void {
    const upstream = this.#upstream
    this.#upstream = undefined
    const wasSent = this.#forwarding
    this.#forwarding = false
    if (this.#tunnelling) {
      this.#endAttempt(upstream, '101')
      return this.#finish('close')
    }
    this.#endAttempt(upstream, this.#status === 0 ? String(proxyErrors[code].status) : String(this.#status))
    if (code === 'connect_failed') this.#noteRefusal()
    if (this.#mayRetry(code, upstream, wasSent)) return this.#attempt()
    this.fail(code)
  }

  /**
   * Never after a byte of the response. Whatever was not sent may go to another endpoint. What was sent on a kept
   * connection that was closed meanwhile may be sent once more when the method is idempotent (RFC 9110 section 9.2.2)
   * and no body has gone that is not there any more.
   */
  #mayRetry(code: ProxyErrorCode, upstream: UpstreamConnection | undefined, wasSent: boolean): boolean {
    if (this.#status !== 0 || this.#attempts - this.#refusals >= (this.#bound?.maxAttempts ?? 0)) return false
    const { retry } = proxyErrors[code]
    if (!wasSent) return retry !== 'never'
    if (retry !== 'if-reused' || upstream === undefined) return false
    const replayable = this.#bodyBytesSent === 0 && idempotentMethods.has(this.head.method)
    return replayable && upstream.reused && !upstream.answered
  }

  /**
   * A refused connection is no attempt as long as there is an endpoint that was not tried, and time: when most pods of
   * a backend end at once, the one that lives must be found.
   */
  #noteRefusal(): void {
    const backend = this.#backend
    const bound = this.#bound
    if (backend === undefined || bound === undefined) return
    this.#context.upstreams.refused(backend, this.#endpointIndex)
    const untried = this.#refusals + 1 < Math.min(31, backend.endpoints.length)
    const inTime = performance.now() - this.#startedMs < bound.connectMs
    if (!bound.triesAreExact && untried && inTime) this.#refusals++
  }

  upstreamBroke(error: unknown): void {
    this.#context.reportBug(error)
    this.fail('internal')
  }

  /** Ends the request for this reason: by an answer when none has begun, else by cutting the connection. */
  fail(code: ProxyErrorCode, status: number = proxyErrors[code].status): void {
    if (this.#finished) return
    if (this.#status !== 0) {
      this.#context.counters.fail(code)
      return this.#finish(this.#closeDelimited ? 'reset' : 'cut')
    }
    if (status === 499) {
      this.#status = 499
      this.#context.counters.fail(code)
      return this.#finish('cut')
    }
    this.#answer({ status, error: code })
  }

  /** The client's connection is gone. */
  clientGone(code: ProxyErrorCode = 'client_gone'): void {
    this.fail(code, 499)
  }

  #answer(answer: Answer): void {
    if (answer.error !== undefined) this.#context.counters.fail(answer.error)
    this.#status = answer.status
    this.#keepAlive =
      this.#bodyComplete && answer.status !== 400 && answer.close !== true && this.#client.mayKeepAlive()
    const headOnly = this.head.method === 'HEAD'
    const response = serialiseOwnResponse({
      status: answer.status,
      date: this.#context.clock.httpDate,
      server: serverName,
      connection: this.#connectionField(),
      headOnly,
      text: answer.text,
      additionalFields: answer.location === undefined ? undefined : `Location: ${answer.location}\r\n`,
    })
    this.#sentBytes = headOnly ? 0 : response.length - response.indexOf('\r\n\r\n') - 4
    this.#client.send(response)
    this.#finish(this.#keepAlive ? 'keep' : 'close')
  }

  // 7. finish

  #finish(ending: Ending): void {
    if (this.#finished) return
    this.#finished = true
    const upstream = this.#upstream
    this.#upstream = undefined
    if (upstream !== undefined) {
      this.#endAttempt(upstream, this.#response === undefined ? '' : String(this.#response.status))
      upstream.destroy()
    }
    this.#early = undefined
    this.#count()
    this.#log()
    this.#client.finished(ending)
  }

  #count(): void {
    const { counters } = this.#context
    counters.add(responseClass(this.#status))
    counters.add('requestBytes', this.#bodyBytes)
    counters.add('responseBytes', this.#sentBytes)
    counters.add('requestMs', performance.now() - this.#startedMs)
    if (this.#tunnelling) counters.add('tunnelsOpen', -1)
    // The last two, so that who sees them sees the others, too.
    counters.add('requests')
    counters.add('requestsInFlight', -1)
  }

  #endAttempt(upstream: UpstreamConnection | undefined, status: string): void {
    if (upstream === undefined || !this.#context.accessLog.enabled) return
    const comma = this.#addresses === '' ? '' : ', '
    this.#addresses += comma + upstream.address
    this.#responseBytes += comma + this.#attemptBytes
    this.#responseSeconds += comma + seconds(performance.now() - this.#attemptStartedMs)
    this.#statuses += comma + (status === '' ? '-' : status)
  }

  #log(): void {
    const { accessLog, clock } = this.#context
    if (!accessLog.enabled) return
    const { head } = this
    accessLog.write(
      {
        clientAddress: this.#identity.address,
        method: head.method,
        target: head.target,
        minorVersion: head.minorVersion,
        host: head.host,
        status: this.#status,
        bodyBytesSent: this.#sentBytes,
        referer: head.referer,
        userAgent: head.userAgent,
        requestBytes: this.#headBytes + this.#bodyBytes,
        requestMs: performance.now() - this.#startedMs,
        upstreamName: this.#backend === undefined ? withoutBackend : upstreamName(this.#backend),
        upstreamAddress: this.#addresses,
        upstreamResponseBytes: this.#responseBytes,
        upstreamSeconds: this.#responseSeconds,
        upstreamStatus: this.#statuses,
        requestId: this.#requestId,
        namespace: this.#route?.ingress.namespace ?? '',
        ingress: this.#route?.ingress.name ?? '',
        service: this.#backend?.service ?? '',
      },
      clock,
    )
  }
}

const withoutBackend = 'upstream-default-backend'

function responseClass(
  status: number,
): 'responses1xx' | 'responses2xx' | 'responses3xx' | 'responses4xx' | 'responses5xx' {
  if (status < 200) return 'responses1xx'
  if (status < 300) return 'responses2xx'
  if (status < 400) return 'responses3xx'
  return status < 500 ? 'responses4xx' : 'responses5xx'
}
