import type { RequestHead, ResponseHead } from '../http1/messages.ts'
import {
  ALLOW,
  CHUNK_END,
  CONTINUE,
  chunkHeader,
  contentBytes,
  LAST_CHUNK,
  serialiseInterimHead,
  serialiseOwnResponse,
  serialiseRequestHead,
  serialiseResponseHead,
} from '../http1/serialise.ts'
import type { Backend, Route } from '../routing/model.ts'
import { seconds } from './access-log.ts'
import { type BoundRoute, check } from './bound-route.ts'
import type { ClientIdentity } from './client-identity.ts'
import type { EndpointPool } from './endpoint-pool.ts'
import { type ProxyErrorCode, proxyErrors } from './errors.ts'
import { upstreamName } from './held-backends.ts'
import type { Answer } from './phases/phase.ts'
import { RequestBuffer, replayBytes } from './request-buffer.ts'
import {
  type FailedAttempt,
  isIdempotent,
  isRetriedStatus,
  mayRetry,
  mayRetryResponse,
  type RetryPolicy,
} from './retry-policy.ts'
import type { BalancedRequest } from './route-balancing.ts'
import type { TlsClient } from './tls-client.ts'
import { Tunnel } from './tunnel.ts'
import type { UpstreamConnection, UpstreamUser } from './upstream-connection.ts'
import type { WorkerContext } from './worker-context.ts'

/**
 * One request and its response. Its life, in the order of this file:
 *
 *  1. `start`: the client connection has read a head. Host and path find a route; none is 404. An https URI in the
 *     clear is 421, whatever it names.
 *  2. phases: what the route asks for may answer instead of its backend. So does `Max-Forwards: 0` after them.
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
  send(text: string): boolean
  /** The octets may be overwritten afterwards. False as for `send`. */
  sendBytes(bytes: Buffer, start: number, end: number): boolean
  /** Until `uncork`, what is sent is gathered to leave as one piece. */
  cork(): void
  uncork(): void
  /** The endpoint does not keep up: stop reading the request's body. */
  pauseBody(): void
  resumeBody(): void
  /** What TLS says about the client; undefined without TLS. */
  tlsClient(): TlsClient | undefined
  /** From now on bytes go to `Exchange.tunnel`. */
  startTunnel(): void
  /** Nothing more comes through the tunnel. */
  endTunnel(): void
  /** The connection may be used again after this request, as far as the connection knows. */
  mayKeepAlive(): boolean
  /** The exchange is over. */
  finished(ending: Ending): void
}

const serverName = 'ingress-fleet'
/** Servers close idle connections after 2 seconds or more, as a rule. */
const unrepeatableIdleMs = 1_000
/** Endpoints of a large backend that may refuse one request's connection before it is given up. */
const mostRefused = 31
const healthPath = '/healthz'

export class Exchange implements UpstreamUser, BalancedRequest {
  readonly head: RequestHead
  /** Endpoints that failed it; made with the first. */
  tried: Set<EndpointPool> | undefined
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
  /** Body that waits for a connection, or for a second attempt. */
  #buffer: RequestBuffer | undefined
  #chunkedUp = false
  #bodyComplete: boolean
  #bodyBytes = 0
  #bodyBytesSent = 0
  #attempts = 0
  #lostOnNew = 0
  #endpointIndex = -1
  /** Attempts that cost next to nothing: the endpoint refused the connection. */
  #refusals = 0
  #firstAttemptMs = 0
  #attemptStartedMs = 0
  /** Of the response to the client; 0 before it began. */
  #status = 0
  #interimSent = false
  /** For the access log. */
  #reason = ''
  #response: ResponseHead | undefined
  #chunkedDown = false
  #closeDelimited = false
  #keepAlive = false
  #tunnel: Tunnel | undefined
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
    this.#context.counters.startRequest()
  }

  // 1. start

  start(): void {
    const { table, routes } = this.#context
    if (this.head.scheme === 'https' && !this.secure) return this.#answer(misdirected)
    const found = table.find(this.head.host, this.head.path)
    if (found === undefined) return this.#answer(this.#withoutRoute())
    this.#route = found.route
    if (this.#context.overloaded) return this.#answer(overloaded)
    this.#bound = routes.of(found.host, found.route)
    const answer = check(this.#bound, this)
    if (answer !== undefined) return this.#answer(answer)
    if (this.head.finalRecipient) return this.#answer(options)
    this.#backend = found.route.backend === undefined ? undefined : table.backend(found.route.backend)
    if (this.#backend === undefined) return this.fail('no_endpoint')
    if (!this.#bodyComplete) this.#buffer = this.#bufferFor(this.#bound)
    this.#context.retryBudget.earn()
    this.#starting = true
    if (this.#buffer?.waits !== true) this.#attempt()
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

  /** A buffer from the beginning: for bodies that are read whole first, and for those that can be sent again. */
  #bufferFor({ requestBuffering, maxBufferedBodyBytes }: BoundRoute): RequestBuffer | undefined {
    const { bodyBudget } = this.#context
    const { contentLength, method } = this.head
    if (requestBuffering && contentLength <= maxBufferedBodyBytes) {
      return new RequestBuffer(bodyBudget, { maxBytes: maxBufferedBodyBytes, waits: true })
    }
    if (contentLength > replayBytes || !isIdempotent(method)) return undefined
    return new RequestBuffer(bodyBudget, { maxBytes: replayBytes, waits: false })
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
    const index = this.#choose(bound)
    const backend = this.#backend
    const upstream =
      index < 0 || backend === undefined ? undefined : upstreams.connection(backend, index, this.#maxIdleMs())
    if (upstream === undefined) return this.fail('no_endpoint')
    if (this.#attempts > 0) counters.add('upstreamRetries')
    this.#attempts++
    this.#endpointIndex = index
    this.#upstream = upstream
    this.#forwarding = false
    this.#attemptStartedMs = this.#attempts === 1 ? this.#startedMs : performance.now()
    if (this.#attempts === 1) this.#firstAttemptMs = this.#attemptStartedMs
    this.#attemptBytes = 0
    this.#bodyBytesSent = 0
    upstream.begin(this, this.head.method, bound)
  }

  /**
   * After a kept connection died, so may have all others: a second attempt gets a new one. So does a request that
   * cannot be repeated, when the endpoint might be about to close what has been idle for that long.
   */
  #maxIdleMs(): number {
    if (this.#attempts > 0) return 0
    return isIdempotent(this.head.method) ? Number.POSITIVE_INFINITY : unrepeatableIdleMs
  }

  /** Another attempt may find that all endpoints were replaced since the request began: the present ones are asked. */
  #choose({ balancing }: BoundRoute): number {
    const backend = this.#backend
    if (backend === undefined) return -1
    const { upstreams, table } = this.#context
    const index = upstreams.choose(backend, balancing, this)
    const present = index < 0 ? table.backend(backend.id) : undefined
    if (present === undefined || present === backend) return index
    this.#backend = present
    this.tried = undefined
    return upstreams.choose(present, balancing, this)
  }

  // 4. forward

  upstreamReady(): void {
    const upstream = this.#upstream
    if (upstream === undefined) return
    const host = this.#route?.options.upstreamVhost ?? this.head.authority
    this.#forwarding = true
    this.#corked = upstream
    upstream.cork()
    const { forwarding } = this.#identity
    const length = this.#wholeLength()
    this.#chunkedUp = this.head.framing === 'chunked' && length < 0
    let more = upstream.send(
      serialiseRequestHead(this.head, {
        host,
        requestId: this.#requestId,
        forwarding,
        framing: length < 0 ? undefined : 'length',
        contentLength: length < 0 ? undefined : length,
        additionalFields: this.#bound?.judgesClients === true ? this.#client.tlsClient()?.fields : undefined,
      }),
    )
    const buffer = this.#buffer
    if (buffer !== undefined) {
      for (const piece of buffer.pieces) more = this.#forwardPiece(upstream, piece, 0, piece.length)
      buffer.sent()
    }
    if (this.#bodyComplete) this.#endRequest(upstream)
    if (!this.#starting) this.requestReadEnds()
    if (more) this.#client.resumeBody()
  }

  /** Of a chunked body that was read whole, as nginx tells it; else -1. */
  #wholeLength(): number {
    const buffer = this.#buffer
    if (this.head.framing !== 'chunked' || !this.#bodyComplete || this.#bound?.requestBuffering !== true) return -1
    return buffer?.isWhole === true ? buffer.bytes : -1
  }

  /** A piece of the request's body, decoded. */
  requestBody(bytes: Buffer, start: number, end: number): void {
    if (this.#finished) return
    this.#bodyBytes += end - start
    const upstream = this.#upstream
    if (upstream !== undefined && this.#forwarding) {
      this.#buffer?.retain(bytes, start, end)
      if (!this.#forwardPiece(upstream, bytes, start, end)) this.#client.pauseBody()
      return
    }
    this.#buffer ??= new RequestBuffer(this.#context.bodyBudget, { maxBytes: 0, waits: false })
    this.#buffer.hold(bytes, start, end)
    if (this.#buffer.waits && this.#attempts === 0) return
    this.#client.pauseBody()
    if (this.#attempts === 0) this.#attempt()
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
    else if (this.#attempts === 0) this.#attempt()
  }

  #forwardPiece(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): boolean {
    this.#bodyBytesSent += end - start
    if (!this.#chunkedUp) return upstream.sendBytes(bytes, start, end)
    upstream.send(chunkHeader(end - start))
    upstream.sendBytes(bytes, start, end)
    return upstream.send(CHUNK_END)
  }

  #endRequest(upstream: UpstreamConnection): void {
    if (this.#chunkedUp) upstream.send(LAST_CHUNK)
    upstream.awaitResponse()
  }

  upstreamDrained(): void {
    this.#client.resumeBody()
  }

  // 5. response

  upstreamInterim(head: ResponseHead): void {
    if (this.head.minorVersion === 0) return
    this.#interimSent = true
    this.#client.send(serialiseInterimHead(head))
  }

  upstreamHead(head: ResponseHead): void {
    if (head.status === 101) return this.#startTunnel(head)
    if (this.#bound?.retry.conditions !== undefined && this.#retriesResponse(head.status)) return
    this.#buffer?.release()
    this.#buffer = undefined
    this.#response = head
    this.#status = head.status
    this.#noteLatency()
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
        additionalFields: this.#sessionField(),
      }),
    )
  }

  #noteLatency(): void {
    if (this.#bound?.balancing.measuresLatency !== true || this.#upstream === undefined) return
    this.#context.upstreams.answered(this.#upstream, performance.now() - this.#attemptStartedMs)
  }

  /** Keeps the client with its endpoint, where the route asks for it. */
  #sessionField(): string | undefined {
    const affinity = this.#bound?.balancing.affinity
    if (affinity === undefined || this.#backend === undefined) return undefined
    const { upstreams, clock } = this.#context
    const balancing = upstreams.balancingOf(this.#backend)
    const token = balancing?.sessionToken(this.#endpointIndex, this.head.cookie, affinity) ?? ''
    return token === '' ? undefined : affinity.setCookie(token, this, Date.parse(clock.httpDate))
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
    if (!this.#chunkedDown) return this.#sendBytesDown(bytes, start, end)
    this.#client.send(chunkHeader(length))
    this.#client.sendBytes(bytes, start, end)
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

  #sendDown(text: string): void {
    if (!this.#client.send(text)) this.#upstream?.pause()
  }

  #sendBytesDown(bytes: Buffer, start: number, end: number): void {
    if (!this.#client.sendBytes(bytes, start, end)) this.#upstream?.pause()
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
    this.#tunnel = new Tunnel()
    this.#response = head
    this.#status = 101
    this.#noteLatency()
    this.#context.counters.add('tunnelsOpen')
    this.#sendDown(
      serialiseResponseHead(head, {
        framing: 'none',
        contentLength: 0,
        connection: undefined,
        date: '',
        server: '',
        additionalFields: this.#sessionField(),
      }),
    )
    this.#upstream?.awaitResponse()
    this.#client.startTunnel()
  }

  upstreamTunnel(bytes: Buffer, start: number, end: number): void {
    const tunnel = this.#tunnel
    if (tunnel === undefined) return
    const passed = tunnel.pass(tunnel.down, bytes, start, end)
    this.#sentBytes += passed - start
    this.#attemptBytes += passed - start
    if (passed > start) this.#sendBytesDown(bytes, start, passed)
    if (this.#context.draining) this.closeTunnel()
  }

  /** Bytes of the client in a tunnel. */
  tunnel(bytes: Buffer, start: number, end: number): void {
    const tunnel = this.#tunnel
    if (tunnel === undefined) return
    const passed = tunnel.pass(tunnel.up, bytes, start, end)
    this.#bodyBytes += passed - start
    if (passed > start && this.#upstream?.sendBytes(bytes, start, passed) === false) this.#client.pauseBody()
    if (this.#context.draining) this.closeTunnel()
  }

  /** The client will send no more through the tunnel. */
  tunnelEnd(): void {
    if (this.#tunnel === undefined) return
    this.#tunnel.up.ended = true
    this.#upstream?.end()
    this.#endTunnelWhenOver(this.#tunnel)
  }

  upstreamTunnelEnd(): void {
    if (this.#tunnel === undefined) return
    this.#tunnel.down.ended = true
    this.#client.endTunnel()
    this.#endTunnelWhenOver(this.#tunnel)
  }

  /** The worker stops: a tunnel cannot end by itself. Called again and again until it is over. */
  closeTunnel(): void {
    const tunnel = this.#tunnel
    const { clock, settings, drainEndsMs } = this.#context
    if (tunnel === undefined || drainEndsMs === Number.POSITIVE_INFINITY) return
    tunnel.drain(clock.nowMs, settings.timeouts.tunnelDrainMs, drainEndsMs)
    const down = tunnel.takeFrameDown()
    if (down !== undefined) this.#client.sendBytes(Buffer.from(down), 0, down.length)
    const up = tunnel.takeFrameUp()
    if (up !== undefined) this.#upstream?.sendBytes(Buffer.from(up), 0, up.length)
    this.#endTunnelWhenOver(tunnel)
  }

  #endTunnelWhenOver(tunnel: Tunnel): void {
    if (!tunnel.isOver(this.#context.clock.nowMs)) return
    const upstream = this.#upstream
    this.#upstream = undefined
    this.#endAttempt(upstream, '101')
    upstream?.leave()
    this.#finish('close')
  }

  // 6. failure

  upstreamFailed(code: ProxyErrorCode): void {
    const upstream = this.#upstream
    this.#upstream = undefined
    const wasSent = this.#forwarding
    this.#forwarding = false
    if (this.#tunnel !== undefined) {
      this.#endAttempt(upstream, '101')
      return this.#finish('close')
    }
    this.#endAttempt(upstream, this.#status === 0 ? String(proxyErrors[code].status) : String(this.#status))
    const isFirst = upstream !== undefined && this.#noteTried(upstream)
    if (code === 'connect_failed' && isFirst) this.#noteRefusal()
    if (this.#mayRetry(code, upstream, wasSent)) return this.#attempt()
    this.fail(code)
  }

  /** Never after a byte of the response; see `retry-policy.ts`. */
  #mayRetry(code: ProxyErrorCode, upstream: UpstreamConnection | undefined, sent: boolean): boolean {
    const policy = this.#bound?.retry
    if (policy === undefined || !this.#mayAttemptAgain(policy)) return false
    const staleConnection = code === 'upstream_closed' && upstream?.reused === true && !upstream.answered
    if (sent && !staleConnection) this.#lostOnNew++
    const failed = { code, sent, staleConnection, lostOnNew: this.#lostOnNew, ...this.#repeatability() }
    return mayRetry(policy, failed, this.#context.retryBudget)
  }

  #mayAttemptAgain(policy: RetryPolicy): boolean {
    if (this.#status !== 0 || this.#interimSent || this.#attempts - this.#refusals >= policy.maxAttempts) return false
    return performance.now() - this.#firstAttemptMs < policy.withinMs
  }

  #repeatability(): Pick<FailedAttempt, 'idempotent' | 'replayable' | 'elsewhere'> {
    return {
      idempotent: isIdempotent(this.head.method),
      replayable: this.#bodyBytesSent === 0 || this.#buffer?.isWhole === true,
      elsewhere: this.#attempts < (this.#backend?.endpoints.length ?? 0),
    }
  }

  /** Throws the response away and asks another endpoint, where the route wants that of this status. */
  #retriesResponse(status: number): boolean {
    const policy = this.#bound?.retry
    if (policy === undefined || !isRetriedStatus(policy, status) || !this.#mayAttemptAgain(policy)) return false
    if (!mayRetryResponse(policy, this.#repeatability(), this.#context.retryBudget)) return false
    const upstream = this.#upstream
    this.#upstream = undefined
    this.#forwarding = false
    this.#endAttempt(upstream, String(status))
    if (upstream !== undefined) this.#noteTried(upstream)
    upstream?.destroy()
    this.#attempt()
    return true
  }

  /** True when the endpoint had not failed this request before: a session may lead to the same one again. */
  #noteTried(upstream: UpstreamConnection): boolean {
    const { endpoint } = upstream
    if (this.#status === 0 && this.#bound?.balancing.measuresLatency === true) {
      this.#context.upstreams.failed(upstream, performance.now() - this.#attemptStartedMs)
    }
    this.tried ??= new Set()
    const { size } = this.tried
    return this.tried.add(endpoint).size > size
  }

  /**
   * A refused connection is no attempt as long as there is an endpoint that was not tried, and time: when most pods of
   * a backend end at once, the one that lives must be found.
   */
  #noteRefusal(): void {
    const backend = this.#backend
    const bound = this.#bound
    if (backend === undefined || bound === undefined) return
    const untried = this.#refusals + 1 < Math.min(mostRefused, backend.endpoints.length)
    const inTime = performance.now() - this.#firstAttemptMs < bound.connectMs
    if (!bound.retry.triesAreExact && untried && inTime) this.#refusals++
  }

  upstreamBroke(error: unknown): void {
    this.#context.reportBug(error)
    this.fail('internal')
  }

  /** Ends the request for this reason: by an answer when none has begun, else by cutting the connection. */
  fail(code: ProxyErrorCode, status: number = proxyErrors[code].status, reason: string = code): void {
    if (this.#finished) return
    this.#reason = reason
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

  /**
   * The client has closed its sending side and may be gone altogether. If it is, what is sent now resets the
   * connection; else it waits for its answer and throws this away (RFC 9110 section 15.2.1).
   */
  probeClient(): void {
    if (this.#status === 0 && this.head.minorVersion === 1) this.#client.send(CONTINUE)
  }

  /** The client's connection is gone. */
  clientGone(code: ProxyErrorCode = 'client_gone'): void {
    this.fail(code, 499)
  }

  #answer(answer: Answer): void {
    if (answer.error !== undefined) {
      this.#context.counters.fail(answer.error)
      if (this.#reason === '') this.#reason = answer.error
    }
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
      additionalFields: additionalFields(answer),
    })
    this.#sentBytes = contentBytes(response)
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
    this.#buffer?.release()
    this.#buffer = undefined
    const requestMs = performance.now() - this.#startedMs
    this.#context.counters.finishRequest(this.#status, this.#bodyBytes, this.#sentBytes, requestMs)
    if (this.#tunnel !== undefined) this.#context.counters.add('tunnelsOpen', -1)
    if (this.#context.accessLog.enabled) this.#log(requestMs)
    this.#client.finished(ending)
  }

  #endAttempt(upstream: UpstreamConnection | undefined, status: string): void {
    if (upstream === undefined) return
    this.#context.upstreams.ended(upstream)
    if (!this.#context.accessLog.enabled) return
    const comma = this.#addresses === '' ? '' : ', '
    this.#addresses += comma + upstream.address
    this.#responseBytes += comma + this.#attemptBytes
    this.#responseSeconds += comma + seconds(performance.now() - this.#attemptStartedMs)
    this.#statuses += comma + (status === '' ? '-' : status)
  }

  #log(requestMs: number): void {
    const { accessLog, clock } = this.#context
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
        requestMs,
        upstreamName: this.#backend === undefined ? withoutBackend : upstreamName(this.#backend),
        upstreamAddress: this.#addresses,
        upstreamResponseBytes: this.#responseBytes,
        upstreamSeconds: this.#responseSeconds,
        upstreamStatus: this.#statuses,
        requestId: this.#requestId,
        namespace: this.#route?.ingress.namespace ?? '',
        ingress: this.#route?.ingress.name ?? '',
        service: this.#backend?.service ?? '',
        reason: this.#reason,
      },
      clock,
    )
  }
}

/** Asked for over a secured connection, it came over another one: MUST be rejected, RFC 9110 section 7.4. */
const misdirected: Answer = { status: 421, error: 'misdirected', close: true }

/** An overload by a burst is over as soon as its requests are; by then others may have been scheduled elsewhere. */
const overloaded: Answer = { status: 503, error: 'overloaded', close: true, retryAfterSeconds: 2 }

/** RFC 9110 section 9.3.7: of the proxy, not of the endpoint, to which the request may not go. */
const options: Answer = { status: 204, allow: true }

function additionalFields({ location, retryAfterSeconds, allow }: Answer): string | undefined {
  if (allow === true) return ALLOW
  if (location !== undefined) return `Location: ${location}\r\n`
  return retryAfterSeconds === undefined ? undefined : `Retry-After: ${retryAfterSeconds}\r\n`
}

const withoutBackend = 'upstream-default-backend'
