import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requestsByLlhttp, responsesByLlhttp } from './llhttp.ts'
import { differences, requestDisagreement, responseDisagreement } from './llhttp-agreement.ts'
import { mutated } from './mutated.ts'
import { forwarded, readRequests, type StreamReading } from './request-stream.ts'
import { type ResponseReading, readResponses, relayed } from './response-stream.ts'
import { answeredBy, requestCases, responseCases, sentBy } from './wire-cases.ts'

const MAX_MUTATED_OCTETS = 1500

const sent = requestCases.map(one => [one.id, sentBy(one)] as const)
const answered = responseCases.map(one => [one.id, answeredBy(one), methodOf(one.request)] as const)
const smallSent = sent.map(([, octets]) => octets).filter(octets => octets.length < MAX_MUTATED_OCTETS)
const smallAnswers = answered.map(([, octets]) => octets).filter(octets => octets.length < MAX_MUTATED_OCTETS)

function methodOf(request: Buffer): string {
  return request.toString('latin1').split(' ', 1)[0] ?? ''
}

describe('what is accepted here is accepted by llhttp with the same reading', () => {
  it('in every request case', () => {
    const readings = sent.map(([id, octets]) => ({ id, octets, reading: readRequests(octets, []) }))
    // Not a comparison of nothing with nothing.
    expect(readings.filter(({ reading }) => reading.requests.length > 0).length).toBeGreaterThan(200)
    const disagreements = readings.map(({ id, octets, reading }) => [id, requestDisagreement(octets, reading)])
    expect(disagreements.filter(([, disagreement]) => disagreement !== undefined)).toEqual([])
  })

  it('in every response case', () => {
    const disagreements = answered.map(([id, octets, method]) => {
      return [id, responseDisagreement(octets, readResponses(octets, [], method), method)]
    })
    expect(disagreements.filter(([, disagreement]) => disagreement !== undefined)).toEqual([])
  })

  it('in mutated requests, one after the other on one connection', () => {
    const connection = fc.array(fc.constantFrom(...smallSent).chain(mutated), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(connection, pieces => {
        const octets = Buffer.concat(pieces)
        expect(requestDisagreement(octets, readRequests(octets, []))).toBeUndefined()
      }),
      { numRuns: 2000 },
    )
  })

  it('in mutated responses', () => {
    const methods = fc.constantFrom('GET', 'HEAD', 'POST')
    fc.assert(
      fc.property(fc.constantFrom(...smallAnswers).chain(mutated), methods, (octets, method) => {
        expect(responseDisagreement(octets, readResponses(octets, [], method), method)).toBeUndefined()
      }),
      { numRuns: 2000 },
    )
  })
})

describe('where llhttp differs, the list says so', () => {
  it.each(differences)('$kind: $reason', ({ kind, sample, fault, where }) => {
    const octets = Buffer.from(sample, 'latin1')
    expect(sample).toMatch(where)
    const ours = kind === 'request' ? readRequests(octets, []) : readResponses(octets, [], 'GET')
    const theirs = kind === 'request' ? requestsByLlhttp(octets) : responsesByLlhttp(octets, 'GET')
    expect([ours.refusal, isWhole(ours)]).toEqual([undefined, true])
    expect(theirs.fault).toBe(fault)
  })
})

function isWhole(ours: StreamReading | ResponseReading): boolean {
  return 'complete' in ours ? ours.complete && ours.surplus === 0 : !ours.partial
}

describe('what we write is one message to llhttp', () => {
  it('for every request that goes upstream', () => {
    const connection = fc.constantFrom(...smallSent).chain(mutated)
    fc.assert(
      fc.property(connection, octets => {
        for (const request of readRequests(octets, []).requests) {
          const theirs = requestsByLlhttp(forwarded(request))
          if (theirs.fault === 'HPE_INVALID_METHOD' || request.head.host === '') continue
          expect(theirs.fault).toBeUndefined()
          expect(theirs.messages).toMatchObject([
            { method: request.head.method, target: request.head.target, body: request.body, complete: true },
          ])
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('for every response that goes to the client', () => {
    fc.assert(
      fc.property(fc.constantFrom(...smallAnswers).chain(mutated), octets => {
        const { heads, body, complete } = readResponses(octets, [], 'GET')
        const head = heads.at(-1)
        if (!complete || head === undefined || head.status < 200) return
        const theirs = responsesByLlhttp(relayed(head, body), 'GET')
        expect(theirs).toMatchObject({ fault: undefined, messages: [{ status: head.status, body, complete: true }] })
      }),
      { numRuns: 1000 },
    )
  })
})

describe('node:http with all its own checks', () => {
  let server: Server
  let understood: { method: string; body: string }[] = []

  beforeAll(async () => {
    server = createServer({ insecureHTTPParser: false }, note)
    // Answers what came before the client's half-close.
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

  async function understoodByNode(octets: Buffer): Promise<typeof understood> {
    understood = []
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.on('error', () => socket.destroy())
    socket.resume()
    const closed = once(socket, 'close').catch(() => undefined)
    socket.end(octets)
    await closed
    return understood
  }

  const known = /^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|PURGE)$/
  const everyTenth = sent.filter(([id, octets], index) => {
    const [first] = readRequests(octets, []).requests
    return first !== undefined && known.test(first.head.method) && (index % 10 === 0 || id.startsWith('base-'))
  })

  it.each(everyTenth)('serves what goes upstream of %s as one request', async (_, octets) => {
    const [first] = readRequests(octets, []).requests
    if (first === undefined) throw new Error('a case that is accepted has a request')
    const theirs = await understoodByNode(forwarded(first))
    expect(theirs).toEqual([{ method: first.head.method, body: first.body }])
  })

  const relayable = answered.flatMap(([id, octets, method], index) => {
    const { heads, body, complete } = readResponses(octets, [], method)
    const head = heads.at(-1)
    const isFinal = complete && head !== undefined && head.status >= 200 && index % 5 === 0
    return isFinal ? [{ id, status: head.status, body, octets: relayed(head, body), method }] : []
  })

  it.each(relayable)('as a client reads what is relayed of $id', async ({ status, body, octets, method }) => {
    const upstream = createTcpServer(socket =>
      socket.on('error', () => undefined).once('data', () => socket.write(octets)),
    )
    upstream.listen(0, '127.0.0.1')
    await once(upstream, 'listening')
    const { port } = upstream.address() as AddressInfo
    const request = httpRequest({ port, host: '127.0.0.1', method, agent: false, insecureHTTPParser: false })
    request.end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const pieces: Buffer[] = []
    for await (const piece of response) pieces.push(piece as Buffer)
    expect([response.statusCode, Buffer.concat(pieces).toString('latin1')]).toEqual([status, body])
    request.destroy()
    upstream.close()
  })
})
