import { connect, type Socket } from 'node:net'
import type { ProxySettings } from '../api/settings.ts'
import { BodyReader } from '../http1/body-reader.ts'
import type { ResponseHead } from '../http1/messages.ts'
import { parseResponseHead } from '../http1/response-head.ts'
import { notAllowedCode } from './endpoint-guard.ts'
import type { EndpointPool } from './endpoint-pool.ts'
import type { ProxyErrorCode } from './errors.ts'

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

export class UpstreamConnection {
  readonly #pool: EndpointPool
  readonly #socket: Socket
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
  #paused = false
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
    const { address, port, guard } = pool
    this.#socket = connect({ host: address, port, noDelay: true, lookup: guard.lookup })
    pool.opened(this)
    this.#listen()
    if (!guard.allows(address)) this.#socket.destroy(Object.assign(new Error('refused'), { code: notAllowedCode }))
  }

  /** Gives the connection to a request; `upstreamReady` follows at once or when connected. */
  begin(user: UpstreamUser, method: string, timeouts: UpstreamTimeouts): void {
    this.#user = user
    this.#method = method
    this.#timeouts = timeouts
    this.#requests++
    this.#responseBytes = 0
    this.#interimResponses = 0
    if (this.#state === 'connecting') {
      this.#deadline = this.#pool.clock.deadline(timeouts.connectMs)
      return
    }
    this.#state = 'head'
    this.#deadline = Number.POSITIVE_INFINITY
    user.upstreamReady()
  }

  /** Bytes of the request or tunnel. False when no more should be sent before `upstreamDrained`. */
  send(data: Buffer | string): boolean {
    const more = typeof data === 'string' ? this.#socket.write(data, 'latin1') : this.#socket.write(data)
    if (this.#state === 'tunnel') this.#touch()
    if (!more && this.#sendDeadline === Number.POSITIVE_INFINITY) {
      this.#sendDeadline = this.#pool.clock.deadline(this.#timeouts.sendMs)
    }
    return more
  }

  /** Between them, what is sent leaves as one piece. */
  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  /** The request has been sent whole: from now on the endpoint must say something within the read timeout. */
  awaitResponse(): void {
    this.#touch()
  }

  /** The client does not keep up: stop reading, and do not hold that against the endpoint. */
  pause(): void {
    if (this.#paused || this.#state === 'closed') return
    this.#paused = true
    this.#deadline = Number.POSITIVE_INFINITY
    this.#socket.pause()
  }

  resume(): void {
    if (!this.#paused || this.#state === 'closed') return
    this.#paused = false
    this.#touch()
    this.#socket.resume()
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
      this.#requests < maxRequestsPerConnection &&
      this.#socket.writableLength === 0
    this.resume()
    this.#deadline = this.#pool.clock.deadline(this.#idleMs())
    this.#head = undefined
    if (!reusable || !this.#pool.keep(this, maxIdlePerEndpoint)) this.destroy()
  }

  /** Ends a tunnel from our side once all is sent. */
  end(): void {
    if (!this.#socket.destroyed) this.#socket.end()
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

  #listen(): void {
    const socket = this.#socket
    socket.on('error', error => this.#onError(error))
    socket.on('connect', () => this.#onConnect())
    socket.on('data', chunk => this.#onData(chunk as Buffer))
    socket.on('drain', () => this.#onDrain())
    socket.on('end', () => this.#onEnd())
    socket.on('close', () => this.#onClose())
  }

  #onConnect(): void {
    if (this.#state !== 'connecting') return
    this.#state = 'head'
    this.#deadline = Number.POSITIVE_INFINITY
    try {
      this.#user?.upstreamReady()
    } catch (error) {
      this.#break(error)
    }
  }

  #onData(chunk: Buffer): void {
    if (this.#state === 'idle' || this.#user === undefined) {
      if (this.#state === 'idle') this.#pool.counters.add('upstreamUnsolicited')
      return this.destroy()
    }
    this.#responseBytes += chunk.length
    if (this.#deadline !== Number.POSITIVE_INFINITY) this.#touch()
    const user = this.#user
    user.upstreamReadBegins()
    try {
      this.#consume(chunk)
    } catch (error) {
      this.#break(error)
    }
    user.upstreamReadEnds()
  }

  #consume(chunk: Buffer): void {
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = undefined
    let at = 0
    const end = bytes.length
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
    if (parsed.kind === 'incomplete') this.#held = bytes.subarray(start, end)
    else this.#fail('upstream_malformed')
    return -1
  }

  /** False when the connection is closed by it. */
  #onHead(head: ResponseHead): boolean {
    if (head.status === 101) {
      // Only what the client asked for, and the exchange knows whether it did: it refuses a switch that it did not ask for.
      this.#state = 'tunnel'
      this.#head = head
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
      this.#fail('upstream_truncated')
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

  #onDrain(): void {
    this.#sendDeadline = Number.POSITIVE_INFINITY
    try {
      this.#user?.upstreamDrained()
    } catch (error) {
      this.#break(error)
    }
  }

  #onEnd(): void {
    if (this.#state === 'body' && this.#head?.framing === 'close') {
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

  #onError(error: NodeJS.ErrnoException): void {
    if (this.#state === 'connecting')
      this.#fail(error.code === notAllowedCode ? 'endpoint_not_allowed' : 'connect_failed')
    else this.#fail(this.#closedCode())
  }

  #onClose(): void {
    this.#fail(this.#closedCode())
  }

  #closedCode(): ProxyErrorCode {
    if (this.#state === 'body' || this.#state === 'tunnel') return 'upstream_truncated'
    return this.#held === undefined ? 'upstream_closed' : 'upstream_malformed'
  }

  #fail(code: ProxyErrorCode): void {
    const user = this.#user
    this.#user = undefined
    this.#close()
    if (user === undefined) return
    try {
      user.upstreamFailed(code)
    } catch (error) {
      user.upstreamBroke(error)
    }
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
    this.#socket.destroy()
  }

  #touch(): void {
    this.#deadline = this.#pool.clock.deadline(this.#timeouts.readMs)
  }

  /** What the endpoint said of its own patience, less a margin, so that it does not close under the next request. */
  #idleMs(): number {
    const ours = this.#settings.upstreamKeepAlive.idleMs
    const theirs = this.#head?.keepAliveTimeoutSeconds ?? -1
    return theirs < 0 ? ours : Math.min(ours, Math.max(0, theirs * 1000 - keepAliveMarginMs))
  }
}

const keepAliveMarginMs = 1_000
