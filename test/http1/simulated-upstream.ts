import { BodyReader } from '../../src/http1/body-reader.ts'
import type { RequestHead, ResponseHead } from '../../src/http1/messages.ts'
import { parseRequestHead } from '../../src/http1/request-head.ts'
import { parseResponseHead } from '../../src/http1/response-head.ts'
import { CHUNK_END, chunkHeader, LAST_CHUNK, serialiseResponseHead } from '../../src/http1/serialise.ts'
import { limits } from './simulated-client.ts'

const MAX_INTERIM_RESPONSES = 16

/** What came of one exchange: the client's bytes, and whether the upstream connection could be used again. */
export interface ExchangeOutcome {
  readonly kind: 'relay' | 'truncate' | '502' | 'waiting'
  /** What the client got, as latin-1 text. */
  readonly client: string
  readonly reusable: boolean
}

/** One request of a client and all that its server sends; `closes` when the server then ends the connection. */
export function exchangeOf(request: Buffer, sent: Buffer, closes: boolean): ExchangeOutcome {
  const parsed = parseRequestHead(request, 0, request.length, limits)
  if (parsed.kind !== 'head') throw new Error('the request of a response case must be valid')
  const requestIsSent = isWholeBody(parsed.head, request.subarray(parsed.next))
  let at = 0
  for (let interim = 0; interim <= MAX_INTERIM_RESPONSES; interim++) {
    const response = parseResponseHead(sent, at, sent.length, limits, parsed.head.method)
    if (response.kind === 'refused') return badGateway
    if (response.kind === 'incomplete') return closes ? badGateway : { ...badGateway, kind: 'waiting' }
    at = response.next
    if (response.head.status === 101) return upgraded(parsed.head, response.head)
    if (response.head.status < 200) continue
    const relayed = relayedBody(response.head, sent.subarray(at), closes)
    return { ...relayed, reusable: relayed.reusable && requestIsSent && !closes }
  }
  return badGateway
}

function isWholeBody(head: RequestHead, octets: Buffer): boolean {
  if (head.framing === 'none') return true
  const reader = new BodyReader(head.framing, head.contentLength)
  reader.read(Buffer.from(octets), 0, octets.length, () => undefined)
  return reader.done
}

const badGateway: ExchangeOutcome = { kind: '502', client: '', reusable: false }

function upgraded(request: RequestHead, response: ResponseHead): ExchangeOutcome {
  if (!request.upgradeWebSocket || !response.upgradeWebSocket) return badGateway
  return { kind: 'relay', client: headText(response, false), reusable: false }
}

function relayedBody(head: ResponseHead, rest: Buffer, closes: boolean): ExchangeOutcome {
  const isRechunked = head.framing === 'close' || head.framing === 'chunked'
  let client = headText(head, isRechunked)
  if (head.framing === 'none') return { kind: 'relay', client, reusable: head.keepAlive && rest.length === 0 }
  const reader = new BodyReader(head.framing, head.contentLength)
  const next = reader.read(rest, 0, rest.length, (bytes, start, end) => {
    const data = bytes.toString('latin1', start, end)
    client += isRechunked ? chunkHeader(data.length) + data + CHUNK_END : data
  })
  if (closes) reader.endOfInput()
  if (reader.failed !== undefined) return { kind: 'truncate', client, reusable: false }
  if (!reader.done) return { kind: closes ? 'truncate' : 'waiting', client, reusable: false }
  if (isRechunked) client += LAST_CHUNK
  return { kind: 'relay', client, reusable: head.keepAlive && next === rest.length }
}

function headText(head: ResponseHead, isRechunked: boolean): string {
  return serialiseResponseHead(head, {
    framing: isRechunked ? 'chunked' : head.framing,
    contentLength: head.contentLength,
    connection: undefined,
    date: 'Sun, 06 Nov 1994 08:49:37 GMT',
    server: 'test',
  })
}
