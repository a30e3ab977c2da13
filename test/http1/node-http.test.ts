import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mutated } from './mutated.ts'
import { recordedMessage } from './recorded-message.ts'
import { outcomeOf } from './simulated-client.ts'
import { requestCases, sentBy } from './wire-cases.ts'

/** One request as a parser understood it. */
interface Understood {
  readonly method: string
  readonly body: string
}

let server: Server
let understood: Understood[] = []

beforeAll(async () => {
  server = createServer({ maxHeaderSize: 65_536 }, note)
  // answers what came before the client's half-close
  Object.assign(server, { httpAllowHalfOpen: true })
  server.on('clientError', (_, socket) => socket.destroy())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

function note(request: IncomingMessage, response: ServerResponse): void {
  const pieces: Buffer[] = []
  request.on('data', (piece: Buffer) => pieces.push(piece))
  request.on('end', () => {
    understood.push({ method: request.method ?? '', body: Buffer.concat(pieces).toString('latin1') })
    response.end()
  })
  request.on('error', () => response.destroy())
}

/** What the parser of Node makes of the octets on a connection of their own. */
async function understoodByNode(octets: Buffer): Promise<readonly Understood[]> {
  understood = []
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => socket.destroy())
  socket.resume()
  const closed = once(socket, 'close').catch(() => undefined)
  socket.end(octets)
  await closed
  return understood
}

function understoodByUs(octets: Buffer): readonly Understood[] {
  return outcomeOf([octets]).forwarded.map(raw => {
    const message = recordedMessage(raw)
    return { method: message.startLine.split(' ')[0] ?? '', body: message.body }
  })
}

/** Node knows a fixed list of methods; others are legal, so only there it may refuse more than we do. */
function hasMethodKnownToNode(octets: Buffer): boolean {
  return /^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|PURGE) /.test(octets.toString('latin1').trimStart())
}

/** Where Node refuses, or reads as something else, what RFC 9112 allows and the case file asks to serve. */
const NODE_DIFFERS: ReadonlyMap<string, string> = new Map([
  ['ext-bws', 'Node takes no whitespace around chunk extensions'],
  ['trailer-cl', 'Node refuses Content-Length in a trailer section, we drop it'],
  ['upg-early-bytes', 'Node ends HTTP on a connection that asked for an upgrade'],
  ['pipe-cl0-extra', 'Node does not know the method of the second request'],
  ['base-lowercase-method', 'Node does not know the method'],
])

const corpus = requestCases.map(requestCase => [requestCase.id, sentBy(requestCase)] as const)
const accepted = corpus.filter(([, octets]) => outcomeOf([octets]).forwarded.length > 0)

describe('what is accepted here is accepted by the parser of Node with the same method and body', () => {
  const comparable = accepted.filter(([id]) => !NODE_DIFFERS.has(id))

  it('holds for all accepted cases but those listed', () => {
    expect(comparable.length).toBe(accepted.length - NODE_DIFFERS.size)
    expect(comparable.length).toBeGreaterThan(60)
  })

  it.each(comparable)('%s', async (_, octets) => {
    const ours = understoodByUs(octets)
    expect((await understoodByNode(octets)).slice(0, ours.length)).toEqual(ours)
  })

  it('holds for mutated cases that Node accepts at all', async () => {
    const small = accepted.map(([, octets]) => octets).filter(octets => octets.length < 2000)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...small).chain(mutated), async octets => {
        const [ours] = understoodByUs(octets)
        fc.pre(ours !== undefined)
        const [theirs] = await understoodByNode(octets)
        expect(theirs ?? ours).toEqual(ours)
      }),
      { numRuns: 300 },
    )
  })
})

describe('what goes upstream is understood by Node as it was meant', () => {
  it.each(accepted.filter(([, octets]) => hasMethodKnownToNode(octets)))('%s', async (_, octets) => {
    for (const [index, raw] of outcomeOf([octets]).forwarded.entries()) {
      if (!hasMethodKnownToNode(Buffer.from(raw, 'latin1'))) continue
      expect(await understoodByNode(Buffer.from(raw, 'latin1'))).toEqual([understoodByUs(octets)[index]])
    }
  })

  it('holds for mutated cases', async () => {
    const small = accepted.map(([, octets]) => octets).filter(octets => octets.length < 2000)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...small).chain(mutated), async octets => {
        const [raw] = outcomeOf([octets]).forwarded
        fc.pre(raw !== undefined && hasMethodKnownToNode(Buffer.from(raw, 'latin1')))
        expect(await understoodByNode(Buffer.from(raw ?? '', 'latin1'))).toEqual([understoodByUs(octets)[0]])
      }),
      { numRuns: 300 },
    )
  })
})
