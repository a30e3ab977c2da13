import * as fc from 'fast-check'

/** Octets and words that parsers disagree about. */
const DICTIONARY = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '%2e',
  '%2f',
  '/../',
  '\x85',
  '\xff',
  '0\r\n\r\n',
  'Host: b.test\r\n',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: close, X-A\r\n',
  'Upgrade: websocket\r\n',
  'HTTP/1.0',
  'X_Forwarded_For: 1\r\n',
].map(text => Buffer.from(text, 'latin1'))

interface Edit {
  readonly at: number
  readonly removed: number
  readonly inserted: Buffer
}

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.constantFrom(0, 0, 1, 2, 8),
  inserted: fc.oneof(
    fc.constantFrom(Buffer.alloc(0), ...DICTIONARY),
    fc.uint8Array({ maxLength: 2 }).map(octets => Buffer.from(octets)),
  ),
})

/** The octets as they are, or with a few edits. */
export function mutated(octets: Buffer): fc.Arbitrary<Buffer> {
  return fc.array(edit, { maxLength: 3 }).map(edits => edits.reduce(applied, octets))
}

function applied(octets: Buffer, { at, removed, inserted }: Edit): Buffer {
  const start = Math.floor(at * octets.length)
  return Buffer.concat([octets.subarray(0, start), inserted, octets.subarray(start + removed)])
}
