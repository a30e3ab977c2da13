import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RequestHead } from '../../src/http1/messages.ts'
import { parseRequestHead } from '../../src/http1/request-head.ts'
import { parseResponseHead } from '../../src/http1/response-head.ts'
import { serialiseForwarding, serialiseRequestHead, serialiseResponseHead } from '../../src/http1/serialise.ts'
import { mutated } from './mutated.ts'
import { readNext } from './request-stream.ts'
import { limits, outcomeOf } from './simulated-client.ts'
import { answeredBy, requestCases, responseCases, sentBy } from './wire-cases.ts'

const requests = requestCases.map(sentBy).filter(octets => octets.length < 1500)
const responses = responseCases.map(answeredBy).filter(octets => octets.length < 1500)

const anyOctets = fc.oneof(
  fc.uint8Array({ maxLength: 400 }).map(array => Buffer.from(array)),
  fc.constantFrom(...requests).chain(mutated),
  fc.constantFrom(...responses).chain(mutated),
)

const anyRequest = fc.constantFrom(...requests).chain(mutated)

function accepted(octets: Buffer): RequestHead | undefined {
  const result = parseRequestHead(octets, 0, octets.length, limits)
  return result.kind === 'head' ? result.head : undefined
}

/** The head as it goes upstream, with nothing added that the client did not say. */
function forwarded(head: RequestHead): Buffer {
  const { requestId, ...identity } = head.identity
  const forwarding = serialiseForwarding({ realIp: '', forwardedPort: '', ...identity })
  return Buffer.from(serialiseRequestHead(head, { host: head.authority, requestId, forwarding }), 'latin1')
}

/** Every text of a head, however deep. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : []
}

describe('whatever octets come', () => {
  it('no parser throws and every refusal has a reason', () => {
    fc.assert(
      fc.property(anyOctets, octets => {
        for (const result of [
          parseRequestHead(octets, 0, octets.length, limits),
          parseResponseHead(octets, 0, octets.length, limits, 'GET'),
        ]) {
          expect(result.kind === 'refused' ? result.refusal.reason : 'none').toMatch(/^[a-z0-9.-]+$/)
          expect(result.kind === 'head' ? result.next : 0).toBeLessThanOrEqual(octets.length)
        }
        expect(outcomeOf([octets])).toBeDefined()
      }),
      { numRuns: 5000 },
    )
  })

  it('no accepted request holds CR, LF or NUL but at the end of its lines', () => {
    fc.assert(
      fc.property(anyRequest, octets => {
        const head = accepted(octets)
        fc.pre(head !== undefined)
        if (head === undefined) return
        for (const text of textsOf({ ...head, fields: '' })) expect(text).not.toMatch(/[\r\n\0]/)
        expect(head.fields.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/)
        expect(head.fields).not.toMatch(/^\r\n|\r\n\r\n/)
        expect(head.fields === '' || head.fields.endsWith('\r\n')).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('an accepted request reads the same again after it was written', () => {
    fc.assert(
      fc.property(anyRequest, octets => {
        const head = accepted(octets)
        fc.pre(head !== undefined)
        if (head === undefined) return
        const again = accepted(forwarded(head))
        fc.pre(head.host !== '' && !head.finalRecipient)
        expect(again).toEqual(readNext(head))
        expect(again && forwarded(again).equals(forwarded(readNext(head)))).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('an accepted response reads the same again after it was written', () => {
    const anyResponse = fc.constantFrom(...responses).chain(mutated)
    fc.assert(
      fc.property(anyResponse, fc.constantFrom('GET', 'HEAD'), (octets, method) => {
        const result = parseResponseHead(octets, 0, octets.length, limits, method)
        fc.pre(result.kind === 'head')
        if (result.kind !== 'head') return
        const { head } = result
        const extras = { contentLength: head.contentLength, connection: undefined, date: '', server: '' }
        const text = serialiseResponseHead(head, { framing: head.framing, ...extras })
        const written = Buffer.from(text, 'latin1')
        const again = parseResponseHead(written, 0, written.length, limits, method)
        expect(again).toEqual({
          kind: 'head',
          next: written.length,
          head: {
            ...head,
            minorVersion: 1,
            keepAlive: head.framing !== 'close' && head.status !== 101,
            keepAliveTimeoutSeconds: -1,
          },
        })
      }),
      { numRuns: 2000 },
    )
  })
})
