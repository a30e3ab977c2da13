import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BodyReader } from '../../src/http1/body-reader.ts'
import { parseRequestHead } from '../../src/http1/request-head.ts'
import { parseResponseHead } from '../../src/http1/response-head.ts'
import { CHUNK_END, chunkHeader, LAST_CHUNK } from '../../src/http1/serialise.ts'
import { mutated } from './mutated.ts'
import { limits } from './simulated-client.ts'
import { answeredBy, requestCases, responseCases, sentBy } from './wire-cases.ts'

const requests = requestCases.map(sentBy).filter(octets => octets.length > 0 && octets.length < 20_000)
const responses = responseCases.map(answeredBy).filter(octets => octets.length > 0 && octets.length < 20_000)
const bodies = requests
  .filter(octets => octets.includes('chunked'))
  .map(octets => octets.subarray(octets.indexOf('\r\n\r\n') + 4))

/** Sorted cut points inside `length`, the end included. */
function cutsOf(fractions: readonly number[], length: number): number[] {
  const cuts = fractions.map(fraction => Math.floor(fraction * length))
  return [...new Set(cuts), length].sort((a, b) => a - b)
}

const fractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { maxLength: 8 })

describe('heads', () => {
  it('a request head gives the same result whole and in any pieces', () => {
    fc.assert(
      fc.property(fc.constantFrom(...requests).chain(mutated), fractions, (octets, cutFractions) => {
        const whole = parseRequestHead(octets, 0, octets.length, limits)
        for (const cut of cutsOf(cutFractions, octets.length)) {
          const result = parseRequestHead(octets, 0, cut, limits)
          if (result.kind === 'incomplete') continue
          expect(result).toEqual(whole)
          return
        }
        expect(whole.kind).toBe('incomplete')
      }),
      { numRuns: 3000 },
    )
  })

  it('a response head gives the same result whole and in any pieces', () => {
    const methods = fc.constantFrom('GET', 'HEAD')
    fc.assert(
      fc.property(fc.constantFrom(...responses).chain(mutated), fractions, methods, (octets, cutFractions, method) => {
        const whole = parseResponseHead(octets, 0, octets.length, limits, method)
        for (const cut of cutsOf(cutFractions, octets.length)) {
          const result = parseResponseHead(octets, 0, cut, limits, method)
          if (result.kind === 'incomplete') continue
          expect(result).toEqual(whole)
          return
        }
        expect(whole.kind).toBe('incomplete')
      }),
      { numRuns: 2000 },
    )
  })

  it('a head is found at any offset of the buffer', () => {
    fc.assert(
      fc.property(fc.constantFrom(...requests), fc.nat(50), (octets, offset) => {
        const shifted = Buffer.concat([Buffer.alloc(offset, 'x'), octets])
        const whole = parseRequestHead(octets, 0, octets.length, limits)
        const result = parseRequestHead(shifted, offset, shifted.length, limits)
        expect(result).toEqual(whole.kind === 'head' ? { ...whole, next: whole.next + offset } : whole)
      }),
    )
  })
})

/** What a reader makes of octets cut at `cuts`, the last of which is their end. */
function readIn(framing: 'length' | 'chunked' | 'close', octets: Buffer, cuts: readonly number[], length = 0): unknown {
  const reader = new BodyReader(framing, length, { maxBodyBytes: 1000 })
  // A reader may move what it has consumed.
  const own = Buffer.from(octets)
  let data = ''
  let consumed = 0
  for (const cut of cuts) {
    consumed = reader.read(own, consumed, cut, (bytes, start, end) => {
      expect(end).toBeGreaterThan(start)
      data += bytes.toString('latin1', start, end)
    })
    if (consumed < cut) break
  }
  expect(reader.received).toBe(data.length)
  return { data, consumed, done: reader.done, failed: reader.failed }
}

describe('bodies', () => {
  it('a chunked body gives the same octets and the same end whole and in any pieces', () => {
    fc.assert(
      fc.property(fc.constantFrom(...bodies).chain(mutated), fractions, (octets, cutFractions) => {
        const pieces = readIn('chunked', octets, cutsOf(cutFractions, octets.length))
        expect(pieces).toEqual(readIn('chunked', octets, [octets.length]))
      }),
      { numRuns: 3000 },
    )
  })

  it('a body with a length, and one to the end of the connection, too', () => {
    const framing = fc.constantFrom('length' as const, 'close' as const)
    const octets = fc.uint8Array({ maxLength: 1200 }).map(array => Buffer.from(array))
    fc.assert(
      fc.property(framing, octets, fractions, fc.nat(1100), (framing, octets, cutFractions, length) => {
        const pieces = readIn(framing, octets, cutsOf(cutFractions, octets.length), length)
        expect(pieces).toEqual(readIn(framing, octets, [octets.length], length))
      }),
    )
  })

  it('what was encoded in chunks of any sizes is decoded to itself and not beyond', () => {
    const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 80 }), { maxLength: 10 })
    fc.assert(
      fc.property(chunks, fractions, fc.string(), (chunks, cutFractions, surplus) => {
        const encoded = chunks.map(
          chunk => chunkHeader(chunk.length) + Buffer.from(chunk).toString('latin1') + CHUNK_END,
        )
        const body = Buffer.from(encoded.join('') + LAST_CHUNK, 'latin1')
        const octets = Buffer.concat([body, Buffer.from(surplus)])
        expect(readIn('chunked', octets, cutsOf(cutFractions, octets.length))).toEqual({
          data: Buffer.concat(chunks).toString('latin1'),
          consumed: body.length,
          done: true,
          failed: undefined,
        })
      }),
    )
  })
})
