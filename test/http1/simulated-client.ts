import { BodyReader } from '../../src/http1/body-reader.ts'
import type { HeadLimits, RequestHead } from '../../src/http1/messages.ts'
import { headMayProgress, parseRequestHead } from '../../src/http1/request-head.ts'
import {
  CHUNK_END,
  chunkHeader,
  LAST_CHUNK,
  serialiseForwarding,
  serialiseRequestHead,
} from '../../src/http1/serialise.ts'

export const limits: HeadLimits = { maxRequestLineBytes: 16_384, maxHeaderBytes: 32_768, maxHeaderCount: 100 }

const MAX_BODY_BYTES = 1_048_576
const ROUTED_HOSTS = /^(?:a\.test|b\.test|mtls\.test|[^.]+\.wild\.test)$/
export const CLIENT_ADDRESS = '192.0.2.7'

/** What a client's connection led to. */
export interface ConnectionOutcome {
  /** Whole requests as they went upstream, in order, as latin-1 text. */
  readonly forwarded: readonly string[]
  /** A request was begun upstream and given up. */
  readonly aborted: boolean
  readonly refusedWith: number | undefined
  readonly closed: boolean
  /** The input ended inside a message. */
  readonly incomplete: boolean
  readonly continuesSent: number
}

/** One client connection in front of the case file's hosts, with sockets, clocks and upstreams left out. */
export class SimulatedClient {
  readonly #forwarded: string[] = []
  #buffer: Buffer = Buffer.alloc(0)
  /** Octets of the buffer that were there before the last piece. */
  #seen = 0
  #reader: BodyReader | undefined
  #upstream = ''
  #keepAlive = true
  #refusedWith: number | undefined
  #closed = false
  #aborted = false
  #continuesSent = 0

  send(piece: Buffer): void {
    this.#seen = this.#buffer.length
    this.#buffer = Buffer.concat([this.#buffer, piece])
    while (!this.#closed && this.#advance()) {
      // one message part after the other
    }
  }

  /** The client half-closes. */
  end(): ConnectionOutcome {
    const incomplete = !this.#closed && (this.#reader !== undefined || this.#buffer.length > 0)
    return {
      forwarded: this.#forwarded,
      aborted: this.#aborted || this.#reader !== undefined,
      refusedWith: this.#refusedWith,
      closed: this.#closed || incomplete,
      incomplete,
      continuesSent: this.#continuesSent,
    }
  }

  #advance(): boolean {
    if (this.#buffer.length === 0) return false
    return this.#reader === undefined ? this.#readHead() : this.#readBody(this.#reader)
  }

  #readHead(): boolean {
    if (this.#seen > 0 && !headMayProgress(this.#buffer, this.#seen, this.#buffer.length)) return false
    const result = parseRequestHead(this.#buffer, 0, this.#buffer.length, limits)
    if (result.kind === 'incomplete') return false
    if (result.kind === 'refused') return this.#refuse(result.refusal.status)
    this.#seen = 0
    this.#buffer = this.#buffer.subarray(result.next)
    return this.#begin(result.head)
  }

  #begin(head: RequestHead): boolean {
    if (head.scheme === 'https') return this.#refuse(421)
    if (!ROUTED_HOSTS.test(head.host)) return this.#refuse(404)
    if (head.finalRecipient) return this.#refuse(204)
    this.#keepAlive = head.keepAlive
    this.#upstream = serialiseRequestHead(head, {
      host: head.authority,
      forwarding: serialiseForwarding({
        forwardedFor: CLIENT_ADDRESS,
        forwardedHost: head.host,
        forwardedPort: '80',
        forwardedProto: 'http',
        realIp: CLIENT_ADDRESS,
      }),
      requestId: head.identity.requestId || 'generated',
    })
    if (head.expectContinue) this.#continuesSent++
    if (head.framing === 'none') return this.#complete()
    const maxBodyBytes = head.path === '/limit4' ? 4 : MAX_BODY_BYTES
    this.#reader = new BodyReader(head.framing, head.contentLength, { maxBodyBytes })
    return this.#afterBody(this.#reader)
  }

  #readBody(reader: BodyReader): boolean {
    const isChunked = reader.framing === 'chunked'
    const next = reader.read(this.#buffer, 0, this.#buffer.length, (bytes, start, end) => {
      const data = bytes.toString('latin1', start, end)
      this.#upstream += isChunked ? chunkHeader(data.length) + data + CHUNK_END : data
    })
    this.#buffer = this.#buffer.subarray(next)
    return this.#afterBody(reader)
  }

  #afterBody(reader: BodyReader): boolean {
    if (reader.failed !== undefined) return this.#refuse(reader.failed.status)
    if (!reader.done) return this.#buffer.length > 0
    this.#reader = undefined
    if (reader.framing === 'chunked') this.#upstream += LAST_CHUNK
    return this.#complete()
  }

  #complete(): boolean {
    this.#forwarded.push(this.#upstream)
    this.#upstream = ''
    if (!this.#keepAlive) this.#closed = true
    return this.#keepAlive
  }

  #refuse(status: number): boolean {
    this.#refusedWith = status
    this.#aborted = this.#upstream !== ''
    this.#reader = undefined
    this.#closed = true
    return false
  }
}

/** The outcome of sending pieces one after the other and half-closing. */
export function outcomeOf(pieces: readonly Buffer[]): ConnectionOutcome {
  const client = new SimulatedClient()
  for (const piece of pieces) client.send(piece)
  return client.end()
}
