import { describe, expect, it } from 'vitest'
import { type BodyLimits, BodyReader } from '../../src/http1/body-reader.ts'
import { chunkHeader } from '../../src/http1/serialise.ts'

function chunked(text: string, limits?: BodyLimits): { data: string; reader: BodyReader; consumed: number } {
  const reader = new BodyReader('chunked', 0, limits)
  const octets = Buffer.from(text, 'latin1')
  let data = ''
  const consumed = reader.read(octets, 0, octets.length, (bytes, start, end) => {
    data += bytes.toString('latin1', start, end)
  })
  return { data, reader, consumed }
}

describe('a chunked body', () => {
  it('ends exactly after its last chunk and leaves what follows', () => {
    const { data, reader, consumed } = chunked('3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\n')
    expect(data).toBe('abc')
    expect(reader).toMatchObject({ done: true, failed: undefined, received: 3 })
    expect(consumed).toBe('3\r\nabc\r\n0\r\n\r\n'.length)
  })

  it('loses its extensions and its trailer section', () => {
    const { data, reader } = chunked('3;a;b=c;d="e\\"f" ; g = h\r\nabc\r\n0;z\r\nX-A: b\r\nX-C:\r\n\r\n')
    expect(data).toBe('abc')
    expect(reader.done).toBe(true)
  })

  it.each([
    ['\r\n', 'chunk-size-syntax'],
    ['3;\r\n', 'chunk-extension'],
    ['3;a=\r\n', 'chunk-extension'],
    ['3;a \r\n', 'chunk-extension'],
    ['3;a="b"c\r\n', 'chunk-extension'],
    ['3;a="\x7f"', 'chunk-extension'],
    ['3\r\nabcd', 'chunk-data-end'],
    ['3\r\nabc\n', 'chunk-data-end'],
    ['3\n', 'chunk-size-syntax'],
    ['3\rx', 'chunk-line-end'],
    ['0\r\n\rx', 'chunk-line-end'],
    ['0\r\n: a\r\n\r\n', 'trailer-syntax'],
    ['0\r\nX-A: b\n\r\n', 'trailer-syntax'],
    ['00000000000000003\r\n', 'chunk-size-too-long'],
  ])('%j fails with %s', (text, reason) => {
    const { reader } = chunked(text)
    expect(reader.failed).toEqual({ status: 400, reason })
    expect(reader.done).toBe(false)
  })

  it('may hold a chunk of the largest size and none larger', () => {
    expect(chunked('ffffffff\r\n').reader.failed).toBeUndefined()
    expect(chunked('100000000\r\n').reader.failed).toEqual({ status: 413, reason: 'chunk-too-large' })
  })

  it('is refused as soon as a size line passes the limit, by decoded octets', () => {
    const limits = { maxBodyBytes: 4 }
    expect(chunked('2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n', limits).reader.done).toBe(true)
    expect(chunked('2\r\nab\r\n3\r\n', limits).reader.failed).toEqual({ status: 413, reason: 'body-too-large' })
  })

  it('has bounds for extensions and trailers', () => {
    const extensions = `1;a=${'b'.repeat(2100)}\r\nx\r\n`
    expect(chunked(extensions).reader.failed).toBeUndefined()
    expect(chunked(extensions + extensions).reader.failed?.reason).toBe('chunk-extension')
    expect(chunked(`0\r\nA: ${'b'.repeat(17_000)}`).reader.failed?.reason).toBe('trailer-too-large')
    expect(chunked(`0\r\n${'A:\r\n'.repeat(101)}`).reader.failed?.reason).toBe('too-many-trailer-fields')
  })

  it('stays failed', () => {
    const { reader } = chunked('x')
    expect(reader.read(Buffer.from('0\r\n\r\n'), 0, 5, () => undefined)).toBe(0)
    expect(reader.done).toBe(false)
  })

  it('is incomplete when the input ends early', () => {
    expect(chunked('3\r\nab').reader.endOfInput()).toBe(false)
    expect(chunked('3\r\nabc\r\n').reader.endOfInput()).toBe(false)
  })
})

describe('a body with a length', () => {
  it('takes its octets and no more', () => {
    const reader = new BodyReader('length', 3, { maxBodyBytes: 0 })
    const pieces: string[] = []
    const next = reader.read(Buffer.from('abcdef'), 1, 6, (bytes, start, end) =>
      pieces.push(bytes.toString('latin1', start, end)),
    )
    expect([next, pieces, reader.done, reader.received]).toEqual([4, ['bcd'], true, 3])
  })

  it('of 0 is done at once', () => {
    expect(new BodyReader('length', 0).done).toBe(true)
  })

  it('above the limit is refused before a single octet', () => {
    const reader = new BodyReader('length', 11, { maxBodyBytes: 10 })
    expect(reader.failed).toEqual({ status: 413, reason: 'body-too-large' })
    expect(reader.read(Buffer.from('abc'), 0, 3, () => undefined)).toBe(0)
  })

  it('is incomplete when the input ends early', () => {
    expect(new BodyReader('length', 1).endOfInput()).toBe(false)
  })
})

describe('a body to the end of the connection', () => {
  it('is complete when the connection ends, not before', () => {
    const reader = new BodyReader('close', 0)
    expect(reader.read(Buffer.from('abc'), 0, 3, () => undefined)).toBe(3)
    expect(reader.done).toBe(false)
    expect(reader.endOfInput()).toBe(true)
  })

  it('fails where it passes the limit', () => {
    const reader = new BodyReader('close', 0, { maxBodyBytes: 2 })
    expect(reader.read(Buffer.from('abc'), 0, 3, () => undefined)).toBe(2)
    expect(reader.failed?.status).toBe(413)
    expect(reader.endOfInput()).toBe(false)
  })
})

describe('a chunk header', () => {
  it('is the length in hexadecimal digits', () => {
    expect(chunkHeader(65_536)).toBe('10000\r\n')
  })
})
