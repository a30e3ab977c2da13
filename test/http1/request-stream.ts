import { BodyReader } from '../../src/http1/body-reader.ts'
import type { RequestHead } from '../../src/http1/messages.ts'
import { headMayProgress, parseRequestHead } from '../../src/http1/request-head.ts'
import {
  CHUNK_END,
  chunkHeader,
  LAST_CHUNK,
  serialiseForwarding,
  serialiseRequestHead,
} from '../../src/http1/serialise.ts'
import { limits } from './simulated-client.ts'

/** One request as the parsers of this project read it. */
export interface ReadRequest {
  readonly head: RequestHead
  /** Decoded, as latin-1 text. */
  readonly body: string
}

/** What the octets of one connection, from first to last, are read as. */
export interface StreamReading {
  readonly requests: readonly ReadRequest[]
  /** Status and reason; nothing after it is read. */
  readonly refusal: string | undefined
  /** The octets end inside a request. */
  readonly partial: boolean
}

const MAX_BODY_BYTES = 1_048_576

/** Reads requests from pieces of one connection, each parser called as the proxy calls it. */
class RequestStream {
  readonly #requests: ReadRequest[] = []
  #held: Buffer = Buffer.alloc(0)
  #head: RequestHead | undefined
  #reader: BodyReader | undefined
  #body = ''
  #refusal: string | undefined
  #closed = false

  /** `last`: nothing follows, so that a head is looked at whether or not it is worth it. */
  feed(piece: Buffer, last: boolean): void {
    const seen = this.#held.length
    // A reader may move what it has consumed.
    this.#held = Buffer.concat([this.#held, piece])
    if (this.#reader === undefined && seen > 0 && !last && !headMayProgress(this.#held, seen, this.#held.length)) return
    while (!this.#closed && this.#held.length > 0 && this.#advance()) {
      // one part of a message after the other
    }
  }

  end(): StreamReading {
    const partial = !this.#closed && (this.#reader !== undefined || this.#held.length > 0)
    return { requests: this.#requests, refusal: this.#refusal, partial }
  }

  #advance(): boolean {
    return this.#reader === undefined ? this.#readHead() : this.#readBody(this.#reader)
  }

  #readHead(): boolean {
    const parsed = parseRequestHead(this.#held, 0, this.#held.length, limits)
    if (parsed.kind === 'incomplete') return false
    if (parsed.kind === 'refused') return this.#refuse(`${parsed.refusal.status} ${parsed.refusal.reason}`)
    const { head } = parsed
    this.#head = head
    this.#held = this.#held.subarray(parsed.next)
    if (head.framing === 'none') return this.#complete()
    const reader = new BodyReader(head.framing, head.contentLength, { maxBodyBytes: MAX_BODY_BYTES })
    this.#reader = reader
    return this.#after(reader) && !this.#closed
  }

  #readBody(reader: BodyReader): boolean {
    const next = reader.read(this.#held, 0, this.#held.length, (bytes, start, end) => {
      this.#body += bytes.toString('latin1', start, end)
    })
    this.#held = this.#held.subarray(next)
    return this.#after(reader)
  }

  #after(reader: BodyReader): boolean {
    if (reader.failed !== undefined) return this.#refuse(`${reader.failed.status} ${reader.failed.reason}`)
    return reader.done ? this.#complete() : true
  }

  #complete(): boolean {
    const head = this.#head
    if (head === undefined) throw new Error('a body ended without a head')
    this.#requests.push({ head, body: this.#body })
    this.#head = undefined
    this.#reader = undefined
    this.#body = ''
    this.#closed = !head.keepAlive
    return !this.#closed
  }

  #refuse(refusal: string): boolean {
    this.#refusal = refusal
    this.#closed = true
    return false
  }
}

/** The octets cut at `cuts`, which are sorted offsets inside them. */
export function readRequests(octets: Buffer, cuts: readonly number[]): StreamReading {
  const stream = new RequestStream()
  let from = 0
  for (const cut of [...cuts, octets.length]) {
    stream.feed(octets.subarray(from, cut), cut === octets.length)
    from = cut
  }
  return stream.end()
}

/** A request as it goes upstream, with nothing added that the client did not say. */
export function forwarded({ head, body }: ReadRequest): Buffer {
  const { requestId, ...identity } = head.identity
  const forwarding = serialiseForwarding({ realIp: '', forwardedPort: '', ...identity })
  const text = serialiseRequestHead(head, { host: head.authority, requestId, forwarding })
  return Buffer.from(text + framed(head.framing, body), 'latin1')
}

/** What a server reads that the head, which may be forwarded, goes to. */
export function readNext(head: RequestHead): RequestHead {
  const next = { ...head, scheme: undefined, minorVersion: 1, keepAlive: true, expectContinue: false } as const
  const counted = head.method === 'OPTIONS' ? /(?:^|\r\n)Max-Forwards: (\d+)\r\n$/.exec(head.fields) : null
  if (counted === null) return next
  const hops = Number(counted[1])
  if (hops === 0) return { ...next, finalRecipient: true }
  return { ...next, fields: head.fields.replace(/\d+\r\n$/, `${hops - 1}\r\n`) }
}

function framed(framing: RequestHead['framing'], body: string): string {
  if (framing !== 'chunked') return body
  return (body === '' ? '' : chunkHeader(body.length) + body + CHUNK_END) + LAST_CHUNK
}
