import { BodyReader } from '../../src/http1/body-reader.ts'
import type { ResponseHead } from '../../src/http1/messages.ts'
import { parseResponseHead } from '../../src/http1/response-head.ts'
import { CHUNK_END, chunkHeader, LAST_CHUNK, serialiseResponseHead } from '../../src/http1/serialise.ts'
import { limits } from './simulated-client.ts'

/** What an upstream's octets are read as: interim responses, then the final one. */
export interface ResponseReading {
  readonly heads: readonly ResponseHead[]
  readonly body: string
  readonly refusal: string | undefined
  /** The final response is whole. */
  readonly complete: boolean
  /** Octets that belong to no response. */
  readonly surplus: number
}

/** Reads the answer to one request of `method` from octets cut at `cuts`, after which the upstream ends. */
export function readResponses(octets: Buffer, cuts: readonly number[], method: string): ResponseReading {
  const stream = new ResponseStream(method)
  for (const cut of [...cuts, octets.length]) stream.grow(Buffer.from(octets.subarray(0, cut)))
  return stream.end()
}

class ResponseStream {
  readonly #method: string
  readonly #heads: ResponseHead[] = []
  #at = 0
  #length = 0
  #reader: BodyReader | undefined
  #body = ''
  #refusal: string | undefined
  #complete = false

  constructor(method: string) {
    this.#method = method
  }

  /** `octets` are all that have come. */
  grow(octets: Buffer): void {
    this.#length = octets.length
    while (!this.#isOver() && this.#at < octets.length) {
      if (!(this.#reader === undefined ? this.#readHead(octets) : this.#readBody(octets, this.#reader))) return
    }
  }

  end(): ResponseReading {
    if (this.#reader !== undefined && !this.#isOver()) this.#complete = this.#reader.endOfInput()
    return {
      heads: this.#heads,
      body: this.#body,
      refusal: this.#refusal,
      complete: this.#complete,
      surplus: this.#refusal === undefined ? this.#length - this.#at : 0,
    }
  }

  #isOver(): boolean {
    return this.#complete || this.#refusal !== undefined
  }

  #readHead(octets: Buffer): boolean {
    const parsed = parseResponseHead(octets, this.#at, octets.length, limits, this.#method)
    if (parsed.kind === 'incomplete') return false
    if (parsed.kind === 'refused') {
      this.#refusal = `${parsed.refusal.status} ${parsed.refusal.reason}`
      return false
    }
    const { head } = parsed
    this.#heads.push(head)
    this.#at = parsed.next
    if (head.status < 200 && head.status !== 101) return true
    if (head.framing === 'none') this.#complete = true
    else this.#reader = new BodyReader(head.framing, head.contentLength)
    if (this.#reader?.done === true) this.#complete = true
    return true
  }

  #readBody(octets: Buffer, reader: BodyReader): boolean {
    this.#at = reader.read(octets, this.#at, octets.length, (bytes, start, end) => {
      this.#body += bytes.toString('latin1', start, end)
    })
    if (reader.failed !== undefined) this.#refusal = `${reader.failed.status} ${reader.failed.reason}`
    this.#complete = reader.done
    return true
  }
}

/** The final response as it goes to an HTTP/1.1 client. */
export function relayed(head: ResponseHead, body: string): Buffer {
  const framing = head.framing === 'close' ? 'chunked' : head.framing
  const extras = { contentLength: head.contentLength, connection: undefined, date: '', server: '' }
  const chunks = (body === '' ? '' : chunkHeader(body.length) + body + CHUNK_END) + LAST_CHUNK
  return Buffer.from(
    serialiseResponseHead(head, { framing, ...extras }) + (framing === 'chunked' ? chunks : body),
    'latin1',
  )
}
