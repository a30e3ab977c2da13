import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { BodyReader } from '../http1/body-reader.ts'
import type { Refusal, RequestHead } from '../http1/messages.ts'
import { detached } from '../http1/octets.ts'
import { headMayProgress, parseRequestHead } from '../http1/request-head.ts'
import { beginsHeadRequest } from '../http1/request-line.ts'
import { ALLOW, contentBytes, serialiseOwnResponse } from '../http1/serialise.ts'
import {
  type ClientIdentity,
  type ConnectionIdentity,
  identityOfConnection,
  identityOfForwardedHeaders,
  plainAddress,
} from './client-identity.ts'
import type { ProxyErrorCode } from './errors.ts'
import { type Client, type Ending, Exchange } from './exchange.ts'
import { Pace, type PaceRule } from './pace.ts'
import { TlsClient } from './tls-client.ts'
import { Transport, type TransportOwner } from './transport.ts'
import type { WorkerContext } from './worker-context.ts'

/**
 * One client connection: requests are read from it one after another, however many are sent at once, and each is
 * served before the next one is looked at.
 *
 * A hot path: one object a connection; its listeners are made once. Longer than most files, because the states of a
 * connection are read best in one place.
 */

/**
 * `head`: a request head is awaited or incomplete. `body`: its body is read. `busy`: the request is whole, its
 * response is not. `tunnel`: bytes pass. `lingering`: the last response has been sent, what still comes is thrown
 * away for a while, since closing at once would reset the connection under the response. `closed`.
 */
type State = 'head' | 'body' | 'busy' | 'tunnel' | 'lingering' | 'closed'

/** How long, and for how many bytes, a client may go on sending after the answer that ends its connection. */
const lingerMs = 2_000
const lingerBytes = 16_777_216
/** While the worker stops: one that asked just now is about to ask again, and a request must not meet our end. */
const stopIdleMs = 1_000
/**
 * A client that has closed its sending side may be gone altogether; only writes tell: the first one is answered by a
 * reset, which the second one meets.
 */
const halfClosedMs = 300
const probes = 2
/**
 * How long a client that is behind its minimum rate is not read from after each read, at most: a byte now and then
 * costs as much as a whole request, and many of such clients would be many at once.
 */
const restMs = 2_000

export class ClientConnection implements Client, TransportOwner {
  readonly context: WorkerContext
  readonly #transport: Transport
  readonly #identity: ConnectionIdentity
  /** Who asks, as the last request said it, and the authority that it named. */
  #client: ClientIdentity | undefined
  #authority = ''
  readonly #onGone: (connection: ClientConnection) => void
  #state: State = 'head'
  #exchange: Exchange | undefined
  #tlsClient: TlsClient | undefined
  #reader: BodyReader | undefined
  /** Bytes not consumed yet: an incomplete head, or requests that came ahead of their turn. */
  #held: Buffer | undefined
  #consuming = false
  /** More has come in one read with the end of the present request. */
  #isFollowed = false
  #requests = 0
  #halfClosed = false
  #probesLeft = 0
  #paused = false
  #discarded = 0
  #keptWhileDraining = false
  /** While it waits for a request: since its last response, or since it was accepted. */
  #idleSinceMs: number
  #deadline: number
  #sendDeadline = Number.POSITIVE_INFINITY
  /** Of a head or body that takes longer than a tick of the clock. */
  #pace: Pace | undefined
  /** Paused since it is behind its pace, and for no other reason. */
  #restsUntilMs = Number.POSITIVE_INFINITY
  readonly #bodySink = (bytes: Buffer, start: number, end: number): void => {
    this.#exchange?.requestBody(bytes, start, end)
  }

  constructor(
    socket: Socket,
    options: {
      readonly context: WorkerContext
      readonly secure: boolean
      readonly onGone: (connection: ClientConnection) => void
    },
  ) {
    this.context = options.context
    this.#onGone = options.onGone
    this.#identity = {
      peerAddress: plainAddress(socket.remoteAddress ?? ''),
      secure: options.secure,
      ports: options.context.forwardedPorts,
    }
    this.#idleSinceMs = this.context.clock.nowMs
    this.#deadline = this.context.clock.deadline(this.context.settings.timeouts.clientHeadMs)
    const { transports } = this.context
    this.#transport = new Transport(socket, { user: this, support: transports, secure: options.secure })
  }

  // Client: what the exchange asks for

  send(text: string): boolean {
    return this.#state === 'closed' || this.#sent(this.#transport.send(text))
  }

  sendBytes(bytes: Buffer, start: number, end: number): boolean {
    return this.#state === 'closed' || this.#sent(this.#transport.sendBytes(bytes, start, end))
  }

  #sent(more: boolean): boolean {
    if (!more && this.#sendDeadline === Number.POSITIVE_INFINITY) {
      this.#sendDeadline = this.context.clock.deadline(this.context.settings.timeouts.sendMs)
    }
    return more
  }

  cork(): void {
    this.#transport.cork()
  }

  uncork(): void {
    this.#transport.uncork()
  }

  pauseBody(): void {
    // While the endpoint is slow, the client is not to blame for silence.
    if (this.#state === 'body') this.#deadline = Number.POSITIVE_INFINITY
    this.#pause()
  }

  resumeBody(): void {
    if (this.#state !== 'body' && this.#state !== 'tunnel') return
    if (this.#state === 'body')
      this.#deadline = this.context.clock.deadline(this.context.settings.timeouts.clientBodyMs)
    this.#resume()
  }

  tlsClient(): TlsClient | undefined {
    if (this.#identity.secure) this.#tlsClient ??= new TlsClient(this.#transport.socket as TLSSocket)
    return this.#tlsClient
  }

  startTunnel(): void {
    this.#state = 'tunnel'
    this.#deadline = Number.POSITIVE_INFINITY
    this.#resume()
    this.#consumeHeld()
    // The end of what it sends may have come before the endpoint agreed.
    if (this.#halfClosed) this.#exchange?.tunnelEnd()
  }

  endTunnel(): void {
    this.#transport.end()
  }

  mayKeepAlive(): boolean {
    const { limits } = this.context.settings
    return (
      this.#exchange?.head.keepAlive === true &&
      !this.context.draining &&
      !this.#isExhausted() &&
      (limits.maxRequestsPerConnection === 0 || this.#requests < limits.maxRequestsPerConnection)
    )
  }

  finished(ending: Ending): void {
    this.#exchange = undefined
    this.#reader = undefined
    if (this.#state === 'closed') return
    if (ending === 'reset') this.#reset()
    if (ending === 'cut' || ending === 'reset') return this.#destroy()
    if (ending === 'close' || this.#isExhausted()) return this.#linger()
    this.#state = 'head'
    const { timeouts } = this.context.settings
    // The response had begun before the worker stopped, so the client was not told not to ask again.
    this.#keptWhileDraining = this.context.draining
    this.#idleSinceMs = this.context.clock.nowMs
    this.#deadline = this.context.clock.deadline(this.context.draining ? lingerMs : timeouts.keepAliveMs)
    // Inside `#consume` its loop goes on with the next request; from a response that ended, it is begun here.
    if (!this.#consuming) this.#consumeHeld()
  }

  // What the worker asks for

  /** To be called with every tick; says what is due now, if anything. */
  sweep(now: number): 'end' | 'read' | undefined {
    if (this.#isAwaited()) this.#judgePace(now)
    if (this.#isOver(now)) return 'end'
    return this.#hasRested(now) ? 'read' : undefined
  }

  endIfOver(): void {
    const now = this.context.clock.nowMs
    if (this.#isOver(now)) this.#onDeadline(now)
  }

  readIfRested(): void {
    if (this.#hasRested(this.context.clock.nowMs)) this.#resume()
  }

  #isOver(now: number): boolean {
    return now >= this.#sendDeadline || now >= this.#deadline
  }

  /** Who lingers was kept waiting for the sake of all who linger. */
  #hasRested(now: number): boolean {
    return now >= this.#restsUntilMs || (this.#state === 'lingering' && this.#paused)
  }

  /**
   * Since when it waits for a request of which nothing has come; Infinity while it does not. Where all has been said
   * and only the client's end is awaited, nobody waits at all.
   */
  get idleSinceMs(): number {
    if (this.#state === 'lingering' && this.#transport.finished) return 0
    const isIdle = this.#state === 'head' && this.#held === undefined && this.#transport.flushed
    return isIdle ? this.#idleSinceMs : Number.POSITIVE_INFINITY
  }

  /** Closes it for the sake of others, where no request is owed an answer; says whether. */
  evict(): boolean {
    if (this.idleSinceMs === Number.POSITIVE_INFINITY) return false
    this.#destroy()
    return true
  }

  /**
   * The worker stops; called with every tick until nothing is left. Connections that have waited for their next
   * request for a while are closed. One that was accepted and has not asked for anything yet is given the chance to:
   * its request may be on the way. So is one whose last response did not say that it is the last.
   */
  stop(): void {
    if (this.#state === 'tunnel') this.#exchange?.closeTunnel()
    else if (this.#state === 'head' && this.#mayClose()) this.#linger()
    else if (this.#state === 'head' && !this.#isClogged())
      this.#deadline = Math.min(this.#deadline, this.context.clock.deadline(lingerMs))
  }

  /** Its request, if any, ends with it. */
  cut(): void {
    this.#abort('client_gone')
  }

  #mayClose(): boolean {
    if (this.#held !== undefined || this.#requests === 0 || this.#keptWhileDraining) return false
    return this.context.clock.nowMs - this.#idleSinceMs >= stopIdleMs
  }

  #destroy(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#held = undefined
    this.#deadline = Number.POSITIVE_INFINITY
    this.#sendDeadline = Number.POSITIVE_INFINITY
    this.#transport.destroy()
    this.#onGone(this)
  }

  // What the transport tells

  transportConnected(): void {}

  transportWriteFailed(): boolean {
    return false
  }

  transportClosed(): void {
    this.#abort('client_gone')
  }

  transportRead(read: Buffer, start: number, end: number): void {
    if (this.#state === 'head' && this.#held === undefined && this.#requests > 0) {
      this.#deadline = this.context.clock.deadline(this.context.settings.timeouts.clientHeadMs)
    }
    try {
      const held = this.#held
      if (held === undefined) return this.#consume(read, start, end)
      const bytes = Buffer.concat([held, read.subarray(start, end)])
      this.#held = undefined
      if (this.#state === 'head' && !headMayProgress(bytes, held.length, bytes.length)) this.#held = bytes
      else this.#consume(bytes, 0, bytes.length)
    } catch (error) {
      this.#break(error)
    } finally {
      if (this.#pace !== undefined) this.#restIfBehind(this.#pace)
    }
  }

  #consume(bytes: Buffer, start: number, end: number): void {
    let at = start
    this.#consuming = true
    try {
      while (at < end) {
        const next = this.#step(bytes, at, end)
        if (next < 0) {
          if (at > start) this.#noteNextHead()
          break
        }
        at = next
      }
    } finally {
      this.#consuming = false
      this.#exchange?.requestReadEnds()
    }
  }

  /** A head that has begun behind another request in one read: from now on the client does not count as idle. */
  #noteNextHead(): void {
    if (this.#state !== 'head' || this.#held === undefined || this.#isClogged()) return
    this.#deadline = this.context.clock.deadline(this.context.settings.timeouts.clientHeadMs)
  }

  #consumeHeld(): void {
    const held = this.#held
    if (this.#state === 'head' && this.#waitsForDrain()) return this.#waitForDrain()
    this.#held = undefined
    if (held !== undefined) {
      if (this.#state === 'head') {
        this.#deadline = this.context.clock.deadline(this.context.settings.timeouts.clientHeadMs)
      }
      try {
        this.#consume(held, 0, held.length)
      } catch (error) {
        this.#break(error)
      }
    }
    if (this.#state === 'head' && !this.#waitsForDrain()) this.#resume()
  }

  /** Offset of the first byte not consumed; -1 when the rest is kept, or thrown away. */
  #step(bytes: Buffer, at: number, end: number): number {
    if (this.#state === 'head' && this.#isClogged()) {
      this.#held = Buffer.from(bytes.subarray(at, end))
      this.#waitForDrain()
      return -1
    }
    if (this.#state === 'head') return this.#readHead(bytes, at, end)
    if (this.#state === 'body') return this.#readBody(bytes, at, end)
    if (this.#state === 'busy') {
      // A request ahead of its turn: nothing more is read until the present one is served.
      this.#held = Buffer.from(bytes.subarray(at, end))
      this.#pause()
    } else if (this.#state === 'tunnel') {
      this.#exchange?.tunnel(bytes, at, end)
    } else {
      this.#discarded += end - at
      if (this.#discarded > lingerBytes) this.#destroy()
      else if (!this.context.discardBudget.spend(end - at)) this.#pause()
    }
    return -1
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    const parsed = parseRequestHead(bytes, start, end, this.context.settings.limits)
    if (parsed.kind === 'head') {
      this.#isFollowed = parsed.next < end
      this.#begin(parsed.head, parsed.next - start)
      return parsed.next
    }
    if (parsed.kind === 'incomplete') {
      // After the client's end it will never be whole.
      if (this.#halfClosed) this.#linger()
      else this.#held = Buffer.from(bytes.subarray(start, end))
    } else this.#refuse(parsed.refusal, beginsHeadRequest(bytes, start, end))
    return -1
  }

  #begin(head: RequestHead, headBytes: number): void {
    this.#requests++
    const exchange = new Exchange(this, head, this.#identify(head), headBytes)
    this.#exchange = exchange
    const hasBody = head.framing === 'chunked' || head.contentLength > 0
    this.#state = hasBody ? 'body' : 'busy'
    this.#deadline = hasBody
      ? this.context.clock.deadline(this.context.settings.timeouts.clientBodyMs)
      : this.#busyDeadline()
    exchange.start()
    if (this.#exchange !== exchange || this.#state !== 'body') return
    this.#reader = new BodyReader(head.framing === 'chunked' ? 'chunked' : 'length', head.contentLength, exchange)
  }

  /** Most connections ask for one host, again and again. */
  #identify(head: RequestHead): ClientIdentity {
    if (this.context.settings.trustForwardedHeaders) return identityOfForwardedHeaders(head, this.#identity)
    if (this.#client === undefined || this.#authority !== head.authority) {
      const { host, forwarding, ...rest } = identityOfConnection(head, this.#identity)
      this.#client = { ...rest, host: detached(host), forwarding: detached(forwarding) }
      this.#authority = detached(head.authority)
    }
    return this.#client
  }

  #readBody(bytes: Buffer, start: number, end: number): number {
    const reader = this.#reader
    const exchange = this.#exchange
    if (reader === undefined || exchange === undefined) return -1
    if (this.#deadline !== Number.POSITIVE_INFINITY) {
      this.#deadline = this.context.clock.deadline(this.context.settings.timeouts.clientBodyMs)
    }
    const next = reader.read(bytes, start, end, this.#bodySink)
    if (this.#exchange !== exchange) return next
    if (reader.failed !== undefined) {
      const { status, reason } = reader.failed
      exchange.fail(status === 413 ? 'body_too_large' : 'bad_request', status, reason)
      return next
    }
    if (!reader.done) return next
    this.#reader = undefined
    this.#isFollowed = next < end
    this.#state = 'busy'
    this.#deadline = this.#busyDeadline()
    // However slow the endpoint is with the body: from now on a client that goes away must be noticed.
    this.#resume()
    exchange.requestBodyEnd()
    return next
  }

  /** Bytes that are no request: answered, and nothing after them is looked at. */
  #refuse(refusal: Refusal, headOnly: boolean): void {
    const { clock, counters } = this.context
    counters.add('requests')
    counters.add(refusal.status < 500 ? 'responses4xx' : 'responses5xx')
    counters.fail(refusal.status === 408 ? 'request_timeout' : 'bad_request')
    const response = serialiseOwnResponse({
      status: refusal.status,
      date: clock.httpDate,
      server: 'ingress-fleet',
      connection: 'close',
      headOnly,
      additionalFields: refusal.status === 405 ? ALLOW : undefined,
    })
    this.#held = undefined
    this.send(response)
    this.#logRefusal(refusal, contentBytes(response))
    this.#linger()
  }

  #logRefusal(refusal: Refusal, bodyBytesSent: number): void {
    const { accessLog, clock } = this.context
    accessLog.write(
      {
        clientAddress: this.#identity.peerAddress,
        method: '',
        target: '',
        minorVersion: 1,
        host: '',
        status: refusal.status,
        bodyBytesSent,
        referer: '',
        userAgent: '',
        requestBytes: 0,
        requestMs: 0,
        upstreamName: '',
        upstreamAddress: '',
        upstreamResponseBytes: '',
        upstreamSeconds: '',
        upstreamStatus: '',
        requestId: this.context.requestIds.next(),
        namespace: '',
        ingress: '',
        service: '',
        reason: refusal.reason,
      },
      clock,
    )
  }

  transportDrained(): void {
    this.#sendDeadline = Number.POSITIVE_INFINITY
    this.#exchange?.clientDrained()
    if (this.#state === 'head' && this.#paused) this.#consumeHeld()
  }

  /** The client sends no more. It may still wait for its answer. */
  transportEnded(): void {
    this.#halfClosed = true
    if (this.#state === 'busy') this.#deadline = this.#busyDeadline()
    else if (this.#state === 'tunnel') this.#exchange?.tunnelEnd()
    else if (this.#state === 'body') this.#abort('client_gone')
    // No request is owed an answer, but the last one may still be on its way: `transportFinished` follows.
    else if (this.#state === 'head') this.#linger()
    else if (this.#transport.finished) this.#destroy()
  }

  /** Our own end has been sent, with all before it. */
  transportFinished(): void {
    this.#sendDeadline = Number.POSITIVE_INFINITY
    if (this.#state !== 'lingering') return
    if (this.#halfClosed) this.#destroy()
    else this.#deadline = this.context.clock.deadline(lingerMs)
  }

  #onDeadline(now: number): void {
    if (now >= this.#sendDeadline) this.#abort('client_too_slow')
    else if (this.#state === 'body') this.#exchange?.fail('request_timeout')
    else if (this.#state === 'busy') this.#probe()
    else if (this.#state !== 'head') this.#abort('client_gone')
    // Only who has begun to ask is told that it took too long.
    else if (this.#held === undefined) this.#linger()
    else this.#refuse({ status: 408, reason: 'head-timeout' }, beginsHeadRequest(this.#held, 0, this.#held.length))
  }

  /** While its answer is made, a client that has closed its sending side is asked whether it is there. */
  #busyDeadline(): number {
    this.#probesLeft = this.#halfClosed ? probes : 0
    return this.#halfClosed ? this.context.clock.deadline(halfClosedMs) : Number.POSITIVE_INFINITY
  }

  #probe(): void {
    this.#probesLeft--
    this.#deadline = this.#probesLeft > 0 ? this.context.clock.deadline(halfClosedMs) : Number.POSITIVE_INFINITY
    this.#exchange?.probeClient()
  }

  /** More of a head or a body that has begun. */
  #isAwaited(): boolean {
    return this.#state === 'body' || (this.#state === 'head' && this.#held !== undefined)
  }

  /** Read at ticks only: whoever sends a whole message between two of them is fast enough. */
  #judgePace(now: number): void {
    const rule = this.#paceRule()
    if (!(rule.bytesPerSecond > 0)) return
    const part = this.#messagePart()
    const bytes = this.#transport.bytesRead
    if (this.#pace?.part !== part) this.#pace = new Pace(part, { nowMs: now, bytes, graceMs: rule.graceMs })
    // Without a deadline it is not the client that is waited for.
    if (this.#deadline === Number.POSITIVE_INFINITY) return this.#pace.rest(now)
    if (this.#pace.isTooSlow(now, bytes, rule)) this.#deadline = now
  }

  #paceRule(): PaceRule {
    const { limits, timeouts } = this.context.settings
    const graceMs = timeouts.slowClientGraceMs
    return this.#state === 'head'
      ? { bytesPerSecond: limits.minHeadBytesPerSecond, graceMs, maxCreditMs: graceMs }
      : { bytesPerSecond: limits.minBodyBytesPerSecond, graceMs, maxCreditMs: timeouts.clientBodyMs }
  }

  /** For a random time, so that clients who send together are not read together. */
  #restIfBehind(pace: Pace): void {
    if (this.#paused || this.#transport.hasUnread || !this.#isAwaited() || pace.part !== this.#messagePart()) return
    const rule = this.#paceRule()
    if (!pace.isBehind(this.#transport.bytesRead, rule)) return
    this.#pause()
    const mostMs = Math.min(restMs, rule.graceMs / 3, rule.maxCreditMs / 3)
    this.#restsUntilMs = this.context.clock.nowMs + mostMs * (0.5 + Math.random() / 2)
  }

  /** Odd for a head, even for a body; every one another. */
  #messagePart(): number {
    return this.#requests * 2 + (this.#state === 'head' ? 1 : 0)
  }

  /** Ends our side; what still comes is read and thrown away until the client has closed, too. */
  #linger(): void {
    this.#state = 'lingering'
    this.#held = undefined
    this.#deadline = this.context.clock.deadline(this.context.settings.timeouts.sendMs)
    this.#transport.end()
    if (this.#halfClosed && this.#transport.finished) this.#destroy()
    else this.#resume()
  }

  #abort(code: ProxyErrorCode): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#destroy()
    exchange?.clientGone(code)
  }

  #break(error: unknown): void {
    this.context.reportBug(error)
    this.#abort('internal')
  }

  /** The client sends no more, and all that it sent is served or being served. */
  #isExhausted(): boolean {
    return this.#halfClosed && this.#held === undefined && !this.#isFollowed
  }

  /** The client has not taken what was sent: no more requests are served that would add to it. */
  #isClogged(): boolean {
    return this.#sendDeadline !== Number.POSITIVE_INFINITY
  }

  #waitsForDrain(): boolean {
    return this.#held !== undefined && this.#isClogged()
  }

  /** The send timeout runs; the requests that are held go on from `transportDrained`. */
  #waitForDrain(): void {
    this.#deadline = Number.POSITIVE_INFINITY
    this.#pause()
  }

  /** Over TLS the end is authenticated: a client knows without it. */
  #reset(): void {
    if (!this.#identity.secure) this.#transport.reset()
  }

  #pause(): void {
    this.#restsUntilMs = Number.POSITIVE_INFINITY
    if (this.#paused) return
    this.#paused = true
    this.#transport.pause()
  }

  #resume(): void {
    if (!this.#paused || this.#state === 'closed') return
    this.#restsUntilMs = Number.POSITIVE_INFINITY
    this.#paused = false
    this.#transport.resume()
  }
}
