import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineSplitter } from '../../src/kube/line-splitter.ts'

function split(chunks: readonly Buffer[], maxLineBytes = 1000): { lines: string[]; pending: number } {
  const lines: string[] = []
  const splitter = new LineSplitter(line => lines.push(line.toString()), maxLineBytes)
  for (const chunk of chunks) splitter.push(chunk)
  return { lines, pending: splitter.pendingBytes }
}

describe('LineSplitter', () => {
  it('gives the same lines however the bytes are cut, in the middle of characters too', () => {
    const text = fc.string({ unit: 'binary', maxLength: 12 }).map(line => line.replaceAll('\n', ' '))
    fc.assert(
      fc.property(fc.array(text, { maxLength: 8 }), fc.array(fc.nat(200), { maxLength: 8 }), (lines, cuts) => {
        const bytes = Buffer.from(lines.map(line => `${line}\n`).join(''))
        const places = [0, ...cuts.map(cut => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end))
        const expected = bytes
          .toString()
          .split('\n')
          .filter(line => line !== '')
        expect(split(chunks, 10_000)).toEqual({ lines: expected, pending: 0 })
      }),
    )
  })

  it('keeps an unfinished line back and counts its bytes', () => {
    expect(split([Buffer.from('one\ntw'), Buffer.from('o')])).toEqual({ lines: ['one'], pending: 3 })
  })

  it('refuses a line longer than the limit, whether or not it has ended', () => {
    expect(split([Buffer.from('12345\n')], 5).lines).toEqual(['12345'])
    expect(() => split([Buffer.from('123456\n')], 5)).toThrow('longer than the allowed 5 bytes')
    expect(() => split([Buffer.from('123'), Buffer.from('456')], 5)).toThrow('longer than the allowed 5 bytes')
  })
})
