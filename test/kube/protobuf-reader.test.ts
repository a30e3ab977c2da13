import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readProtobufList } from '../../src/kube/protobuf-list.ts'
import { MalformedProtobuf, ProtobufReader } from '../../src/kube/protobuf-reader.ts'

const bytes = (...parts: (number | string)[]): Buffer =>
  Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))))

/** A field of bytes: tag, length, value. */
const field = (number: number, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([number * 8 + 2, value.length]), value])

/** Reads everything that there is, going into whatever looks like a message. */
function readWhole(reader: ProtobufReader, depth = 0): void {
  for (let number = reader.next(); number !== 0; number = reader.next()) {
    if (depth < 4 && number % 2 === 0) readWhole(reader.message(), depth + 1)
    else reader.skip()
  }
}

/** Name of the error that it throws. */
function faultOf(read: () => void): string | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.name : 'no error'
  }
}

describe('ProtobufReader', () => {
  test('reads numbers, texts and messages, and steps over the rest', () => {
    const reader = new ProtobufReader(
      bytes(
        0x08,
        0x96,
        0x01,
        0x12,
        5,
        'shopß'.slice(0, 3),
        'ß',
        0x1d,
        1,
        2,
        3,
        4,
        0x21,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        0x2a,
        2,
        0x08,
        0x01,
      ),
    )
    expect(reader.next()).toBe(1)
    expect(reader.number()).toBe(150)
    expect(reader.next()).toBe(2)
    expect(reader.text()).toBe('shoß')
    expect(reader.next()).toBe(3)
    reader.skip()
    expect(reader.next()).toBe(4)
    reader.skip()
    expect(reader.next()).toBe(5)
    const message = reader.message()
    expect(message.next()).toBe(1)
    expect(message.number()).toBe(1)
    expect(message.next()).toBe(0)
    expect(reader.next()).toBe(0)
  })

  test.each([
    ['a number without end', bytes(0x08, 0x80)],
    ['a number too long', bytes(0x08, ...Array.from({ length: 12 }, () => 0x80), 1)],
    ['a value longer than what is there', bytes(0x12, 9, 'shop')],
    ['field 0', bytes(0x02, 0)],
    ['a wire type of old', bytes(0x0b)],
  ])('refuses %s', (_name, input) => {
    expect(() => readWhole(new ProtobufReader(input))).toThrow(MalformedProtobuf)
  })

  test('a message does not read beyond its end', () => {
    const outer = new ProtobufReader(bytes(0x12, 3, 0x0a, 9, 'x', 'beyond it'))
    outer.next()
    const inner = outer.message()
    inner.next()
    expect(() => inner.text()).toThrow(MalformedProtobuf)
  })

  test('any bytes are read to their end or refused', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 64 }), input => {
      expect([undefined, 'MalformedProtobuf']).toContain(
        faultOf(() => readWhole(new ProtobufReader(Buffer.from(input)))),
      )
    })
    fc.assert(property, { numRuns: 2000 })
  })
})

describe('readProtobufList', () => {
  const meta = Buffer.concat([field(2, Buffer.from('42')), field(3, Buffer.from('more'))])
  const list = Buffer.concat([field(1, meta), field(2, Buffer.from('')), field(2, bytes(0x0a, 1, 'x'))])
  const answer = Buffer.concat([Buffer.from('k8s\0'), field(1, Buffer.from('')), field(2, list)])

  test('gives the resource version, where it goes on, and every item', () => {
    const { metadata, items } = readProtobufList(answer)
    expect(metadata).toEqual({ resourceVersion: '42', continue: 'more' })
    expect(items.map(item => item.next())).toEqual([0, 1])
  })

  test('refuses what is no list of the API server, at whatever byte it ends', () => {
    expect(() => readProtobufList(Buffer.from('{"kind":"List"}'))).toThrow(MalformedProtobuf)
    for (let length = 0; length < answer.length; length++) {
      expect(() => readProtobufList(answer.subarray(0, length))).toThrow(MalformedProtobuf)
    }
  })
})
