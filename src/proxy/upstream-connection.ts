import type { ProxySettings } from '../api/settings.ts'
import { BodyReader } from '../http1/body-reader.ts'
import type { ResponseHead } from '../http1/messages.ts'
import { parseResponseHead } from '../http1/response-head.ts'
import { notAllowedCode } from './endpoint-guard.ts'
import type { EndpointPool } from './endpoint-pool.ts'
import type { ProxyErrorCode } from './errors.ts'
import { Transport, type TransportOwner } from './transport.ts'
import { UpstreamSocket } from './upstream-socket.ts'

/**
 * One connection to an endpoint and the response that it is reading. It knows bytes and deadlines; what a response
 * means for a request is the exchange's.
 *
 * A hot path: one object a connection, no closure or timer per request. Longer than most files, because the states
 * of a connection are read best in one place.
 */

/** What an exchange hears from its connection. After `upstreamEnd` or `upstreamFailed` it hears nothing more. */
export interface UpstreamUser {
  /** Connected: the request can be sent. */
  upstreamReady(): void
  /** 103 and the like; never 100 or 101. */
  upstreamInterim(head: ResponseHead): void
  upstreamHead(head: ResponseHead): void
  /** Around what one read brought: head and body leave as one piece. */
  upstreamReadBegins(): void
  upstreamReadEnds(): void
  upstreamBody(bytes: Buffer, start: number, end: number): void
  /** The response is whole. */
  upstreamEnd(): void
  /** The endpoint will send no more through the tunnel. */
  upstreamTunnelEnd(): void
  /** Bytes of a tunnel, after a 101. */
  upstreamTunnel(bytes: Buffer, start: number, end: number): void
  /** What was sent has left: more can be sent. */
  upstreamDrained(): void
  upstreamFailed(code: ProxyErrorCode): void
  /** The proxy's own mistake while this connection was read. */
  upstreamBroke(error: unknown): void
}

/** Limits of a request on this connection, in milliseconds. */
export interface UpstreamTimeouts {
  readonly connectMs: number
  readonly readMs: number
  readonly sendMs: number
}

const maxInterimResponses = 16
/** Beyond what clients may send: a response's head comes from the cluster. Still bounded. */
const responseHeadLimits = { maxRequestLineBytes: 8_192, maxHeaderBytes: 65_536, maxHeaderCount: 256 }

type State = 'connecting' | 'idle' | 'head' | 'body' | 'tunnel' | 'closed'

export class UpstreamConnection implements TransportOwner {
  readonly #pool: EndpointPool
  readonly #transport: Transport
  readonly #settings: ProxySettings
  #state: State = 'connecting'
  #user: UpstreamUser | undefined
  #timeouts: UpstreamTimeouts
  #method = ''
  /** Beginning of a head that is not whole yet. */
  #held: Buffer | undefined
  #reader: BodyReader | undefined
  #head: ResponseHead | undefined
  #interimResponses = 0
  #responseBytes = 0
  #requests = 0
  /** More came than the response holds: the connection cannot be trusted with another request. */
  #surplus = false
  /** When its last request ended, by the coarse clock. */
  idleSinceMs = 0
  #paused = false
  /** The request has been sent whole, or is a tunnel: the read timeout runs, except during a pause. */
  #awaitsResponse = false
  /** A write has failed. There may still be a response to read. */
  #writeFailed = false
  /** Not kept beyond it. */
  readonly #expiresMs: number
  #deadline: number
  #sendDeadline = Number.POSITIVE_INFINITY
  readonly #sink = (bytes: Buffer, start: number, end: number): void => {
    this.#user?.upstreamBody(bytes, start, end)
  }

  constructor(pool: EndpointPool, settings: ProxySettings) {
    this.#pool = pool
    this.#settings = settings
    this.#timeouts = settings.timeouts
    this.#deadline = pool.clock.deadline(settings.timeouts.connectMs)
    const { maxLifetimeMs } = settings.upstreamKeepAlive
    const lifetimeMs = maxLifetimeMs === 0 ? Number.POSITIVE_INFINITY : maxLifetimeMs * (1 - Math.random() / 10)
    this.#expiresMs = pool.clock.nowMs + lifetimeMs
    const { address, port, guard } = pool
    const socket = new UpstreamSocket({ allowHalfOpen: true })
    socket.writeFailed = () => this.transportWriteFailed()
    socket.setNoDelay(true)
    socket.connect({ host: address, port, lookup: guard.lookup })
    this.#transport = new Transport(socket, { user: this, support: pool.transports, secure: false })
    pool.opened(this)
    if (!guard.allows(address)) socket.destroy(Object.assign(new Error('refused'), { code: notAllowedCode }))
  }

  /** Gives the connection to a request; `upstreamReady` follows at once or when connected. */
  begin(user: UpstreamUser, method: string, timeouts: UpstreamTimeouts): void {
    this.#user = user
    this.#method = method
    this.#timeouts = timeouts
    this.#requests++
    this.#responseBytes = 0
    this.#interimResponses = 0
    this.#awaitsResponse = false
    if (this.#state === 'connecting') {
      this.#deadline = this.#pool.clock.deadline(timeouts.connectMs)
      return
    }
    this.#state = 'head'
    this.#deadline = Number.POSITIVE_INFINITY
    user.upstreamReady()
  }

  /** Text of the request, latin-1. False when no more should be sent before `upstreamDrained`. */
  send(text: string): boolean {
    return this.#writeFailed || this.#transport.send(text) || this.#waitForDrain()
  }

  /** Octets of the request or tunnel, which may be overwritten afterwards. False as for `send`. */
  sendBytes(bytes: Buffer, start: number, end: number): boolean {
    if (this.#writeFailed) return true
    if (this.#state === 'tunnel') this.#touch()
    return this.#transport.sendBytes(bytes, start, end) || this.#waitForDrain()
  }

  #waitForDrain(): false {
    if (this.#sendDeadline === Number.POSITIVE_INFINITY) {
      this.#sendDeadline = this.#pool.clock.deadline(this.#timeouts.sendMs)
    }
    return false
  }

  /** Between them, what is sent leaves as one piece. */
  cork(): void {
    this.#transport.cork()
  }

  uncork(): void {
    this.#transport.uncork()
  }

  /** The request has been sent whole: from now on the endpoint must say something within the read timeout. */
  awaitResponse(): void {
    this.#awaitsResponse = true
    this.#touch()
  }

  /** The client does not keep up: stop reading, and do not hold that against the endpoint. */
  pause(): void {
    if (this.#paused || this.#state === 'closed') return
    this.#paused = true
    this.#deadline = Number.POSITIVE_INFINITY
    this.#transport.pause()
  }

  resume(): void {
    if (!this.#paused || this.#state === 'closed') return
    this.#paused = false
    // Until then the endpoint may be waiting for the rest of the request.
    if (this.#awaitsResponse) this.#touch()
    if (this.#writeFailed) this.#hearLastWords()
    this.#transport.resume()
  }

  /** The request is over. Keeps the connection for another one when all of both messages has passed. */
  release(requestComplete: boolean): void {
    this.#user = undefined
    const { maxIdlePerEndpoint, maxRequestsPerConnection } = this.#settings.upstreamKeepAlive
    const reusable =
      requestComplete &&
      this.#state === 'idle' &&
      this.#head?.keepAlive === true &&
      !this.#surplus &&
      !this.#writeFailed &&
      (maxRequestsPerConnection === 0 || this.#requests < maxRequestsPerConnection) &&
      this.#pool.clock.nowMs < this.#expiresMs &&
      this.#transport.flushed
    this.resume()
    this.#deadline = Math.min(this.#pool.clock.deadline(this.#idleMs()), this.#expiresMs)
    this.idleSinceMs = this.#pool.clock.nowMs
    this.#head = undefined
    if (!reusable || !this.#pool.keep(this, maxIdlePerEndpoint)) this.destroy()
  }

  /** Ends a tunnel from our side once all is sent. */
  end(): void {
    this.#transport.end()
  }

  /** A tunnel is over. What was sent still leaves; the connection closes after it, or after the read timeout. */
  leave(): void {
    this.#user = undefined
    this.end()
    this.resume()
    this.#touch()
  }

  /** What still comes is thrown away: closing at once would take with it what is still leaving. */
  get #isLeft(): boolean {
    return this.#state === 'tunnel' && this.#user === undefined
  }

  /** Cuts the connection; its request hears nothing of it. */
  destroy(): void {
    this.#user = undefined
    this.#close()
  }

  sweep(now: number): void {
    if (now >= this.#sendDeadline) this.#fail('upstream_send_timeout')
    else if (now >= this.#deadline)
      this.#fail(this.#state === 'connecting' ? 'connect_timeout' : 'upstream_read_timeout')
  }

  /** It has carried a request before this one, so the endpoint may have closed it meanwhile. */
  get reused(): boolean {
    return this.#requests > 1
  }

  /** Some of the response has arrived. */
  get answered(): boolean {
    return this.#responseBytes > 0
  }

  get address(): string {
    return this.#pool.key
  }

  get endpoint(): EndpointPool {
    return this.#pool
  }

  transportConnected(): void {
    if (this.#state !== 'connecting') return
    this.#state = 'head'
    this.#deadline = Number.POSITIVE_INFINITY
    try {
      this.#user?.upstreamReady()
    } catch (error) {
      this.#break(error)
    }
  }

  transportRead(bytes: Buffer, start: number, end: number): void {
    if (this.#state === 'idle' || this.#user === undefined) {
      if (this.#isLeft) return
      if (this.#state === 'idle') this.#pool.counters.add('upstreamUnsolicited')
      return this.destroy()
    }
    this.#responseBytes += end - start
    if (this.#deadline !== Number.POSITIVE_INFINITY) this.#touch()
    const user = this.#user
    user.upstreamReadBegins()
    try {
      this.#consume(bytes, start, end)
    } catch (error) {
      this.#break(error)
    }
    user.upstreamReadEnds()
  }

  #consume(read: Buffer, from: number, to: number): void {
    const held = this.#held
    this.#held = undefined
    const bytes = held === undefined ? read : Buffer.concat([held, read.subarray(from, to)])
    let at = held === undefined ? from : 0
    const end = held === undefined ? to : bytes.length
    while (at < end) {
      switch (this.#state) {
        case 'head': {
          const next = this.#readHead(bytes, at, end)
          if (next < 0) return
          at = next
          break
        }
        case 'body':
          at = this.#readBody(bytes, at, end)
          break
        case 'tunnel':
          this.#user?.upstreamTunnel(bytes, at, end)
          return
        case 'idle':
          // The response ended before the chunk did.
          this.#surplus = true
          this.#finish()
          return
        case 'connecting':
        case 'closed':
          return
      }
    }
    if (this.#state === 'idle') this.#finish()
  }

  /** Offset after the head, or -1 when there is nothing more to read now. */
  #readHead(bytes: Buffer, start: number, end: number): number {
    const parsed = parseResponseHead(bytes, start, end, responseHeadLimits, this.#method)
    if (parsed.kind === 'head') return this.#onHead(parsed.head) ? parsed.next : -1
    if (parsed.kind === 'incomplete') this.#held = Buffer.from(bytes.subarray(start, end))
    else this.#fail('upstream_malformed')
    return -1
  }

  /** False when the connection is closed by it. */
  #onHead(head: ResponseHead): boolean {
    if (head.status === 101) {
      // Only what the client asked for, and the exchange knows whether it did: it refuses a switch that it did not ask for.
      this.#state = 'tunnel'
      this.#head = head
      this.#pool.answered()
      this.#user?.upstreamHead(head)
      return this.#user !== undefined
    }
    if (head.status < 200) {
      this.#interimResponses++
      if (this.#interimResponses > maxInterimResponses) {
        this.#fail('upstream_malformed')
        return false
      }
      if (head.status !== 100) this.#user?.upstreamInterim(head)
      return true
    }
    this.#head = head
    this.#pool.answered()
    this.#user?.upstreamHead(head)
    if (this.#user === undefined) return false
    if (head.framing === 'none' || (head.framing === 'length' && head.contentLength === 0)) {
      this.#state = 'idle'
    } else {
      this.#state = 'body'
      this.#reader = new BodyReader(head.framing, head.contentLength)
    }
    return true
  }

  #readBody(bytes: Buffer, start: number, end: number): number {
    const reader = this.#reader
    if (reader === undefined) return end
    const next = reader.read(bytes, start, end, this.#sink)
    if (reader.failed !== undefined) {
      this.#fail('upstream_malformed')
      return end
    }
    if (reader.done && this.#state === 'body') {
      this.#reader = undefined
      this.#state = 'idle'
    }
    return next
  }

  /** The response is whole; `release` follows from the exchange. */
  #finish(): void {
    const user = this.#user
    if (user !== undefined) user.upstreamEnd()
  }

  transportDrained(): void {
    this.#sendDeadline = Number.POSITIVE_INFINITY
    try {
      this.#user?.upstreamDrained()
    } catch (error) {
      this.#break(error)
    }
  }

  transportFinished(): void {}

  /** What the endpoint has sent before it went away is read in the next turns. */
  transportWriteFailed(): boolean {
    this.#writeFailed = true
    this.#sendDeadline = Number.POSITIVE_INFINITY
    if (!this.#paused) this.#hearLastWords()
    return true
  }

  #hearLastWords(): void {
    this.#deadline = Math.min(this.#deadline, this.#pool.clock.deadline(lastWordsMs))
  }

  transportEnded(): void {
    if (this.#state === 'tunnel' && this.#user !== undefined) return this.#user.upstreamTunnelEnd()
    // The socket closes by itself when both sides have ended.
    if (this.#isLeft) return
    if (this.#state === 'body' && this.#head?.framing === 'close' && !this.#writeFailed) {
      this.#state = 'idle'
      this.#surplus = true
      try {
        this.#finish()
      } catch (error) {
        this.#break(error)
      }
      return
    }
    this.#fail(this.#closedCode())
  }

  transportClosed(code: string): void {
    if (this.#state === 'connecting') this.#fail(code === notAllowedCode ? 'endpoint_not_allowed' : 'connect_failed')
    else this.#fail(this.#closedCode())
  }

  #closedCode(): ProxyErrorCode {
    if (this.#state === 'body' || this.#state === 'tunnel') return 'upstream_truncated'
    return this.#held === undefined ? 'upstream_closed' : 'upstream_malformed'
  }

  #fail(code: ProxyErrorCode): void {
    const user = this.#user
    this.#user = undefined
    if (user !== undefined && this.#isFault(code)) this.#pool.failed(code)
    this.#close()
    if (user === undefined) return
    try {
      user.upstreamFailed(code)
    } catch (error) {
      user.upstreamBroke(error)
    }
  }

  /** The endpoint is to blame: not for closing a kept connection, nor for the end or the silence of a tunnel. */
  #isFault(code: ProxyErrorCode): boolean {
    if (this.#state === 'tunnel' || code === 'endpoint_not_allowed') return false
    return code !== 'upstream_closed' || !this.reused || this.answered
  }

  #break(error: unknown): void {
    const user = this.#user
    this.destroy()
    user?.upstreamBroke(error)
  }

  #close(): void {
    if (this.#state !== 'closed') {
      this.#state = 'closed'
      this.#held = undefined
      this.#deadline = Number.POSITIVE_INFINITY
      this.#sendDeadline = Number.POSITIVE_INFINITY
      this.#pool.closed(this)
    }
    this.#transport.destroy()
  }

  #touch(): void {
    if (!this.#paused) this.#deadline = this.#pool.clock.deadline(this.#timeouts.readMs)
  }

  /** What the endpoint said of its own patience, less a margin, so that it does not close under the next request. */
  #idleMs(): number {
    const ours = this.#settings.upstreamKeepAlive.idleMs
    const theirs = this.#head?.keepAliveTimeoutSeconds ?? -1
    return theirs < 0 ? ours : Math.min(ours, Math.max(0, theirs * 1000 - keepAliveMarginMs))
  }
}

const keepAliveMarginMs = 1_000
const lastWordsMs = 1_000
