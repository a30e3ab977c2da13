import { BodyReader } from '../../../src/http1/body-reader.ts'
import { CHUNK_END, chunkHeader, LAST_CHUNK } from '../../../src/http1/serialise.ts'
import { requestCases, sentBy } from '../../http1/wire-cases.ts'
import { countingReads, cutsOf, type FuzzTarget, must, mustEqual } from '../fuzz-target.ts'

const MAX_BODY_BYTES = 1000
const MAX_SEED_OCTETS = 1200
const READS_PER_OCTET = 4

interface Decoded {
  readonly data: string
  readonly consumed: number
  readonly done: boolean
  readonly failed: string | undefined
}

/** A chunked body and what follows it. */
export const chunkedBody: FuzzTarget = {
  name: 'chunked-body',
  dictionary: [
    '\r\n',
    '\n',
    '\r',
    '0\r\n\r\n',
    '0\r\n',
    '5\r\nhello\r\n',
    '1;a=b\r\nx\r\n',
    ';a="\\"',
    '"',
    '\\',
    ' ; ',
    'X-A: b\r\n',
    'ffffffff',
    '0000000000000000',
    'g',
    '-',
  ],
  seeds: () =>
    requestCases
      .map(sentBy)
      .filter(octets => octets.length < MAX_SEED_OCTETS && octets.includes('chunked'))
      .map(octets => octets.toString('latin1', octets.indexOf('\r\n\r\n') + 4)),
  check(octets) {
    const whole = decoded(octets, [])
    for (const cuts of cutsOf(octets)) mustEqual(decoded(octets, cuts), whole, `read in ${cuts.length + 1} pieces`)
    mustEqual([whole.done, whole.consumed], [isWhole(octets, whole), whole.consumed], 'a body by its grammar')
    if (whole.done) checkEncodedAgain(whole.data)
    const counting = countingReads(octets)
    new BodyReader('chunked', 0).read(counting.octets, 0, octets.length, () => undefined)
    must(counting.reads() <= READS_PER_OCTET * (octets.length + 4), `${counting.reads()} reads of ${octets.length}`)
    return `${whole.done} ${whole.failed} ${whole.data.length > 0}`
  },
}

function decoded(octets: Buffer, cuts: readonly number[]): Decoded {
  const reader = new BodyReader('chunked', 0, { maxBodyBytes: MAX_BODY_BYTES })
  // A reader may move what it has consumed.
  const own = Buffer.from(octets)
  let data = ''
  let consumed = 0
  for (const cut of [...cuts, octets.length]) {
    consumed = reader.read(own, consumed, cut, (bytes, start, end) => {
      must(end > start, 'a piece without octets')
      data += bytes.toString('latin1', start, end)
    })
    if (consumed < cut) break
  }
  must(reader.received === data.length && data.length <= MAX_BODY_BYTES, 'decoded octets are miscounted or too many')
  must(!(reader.done && reader.failed !== undefined), 'both done and failed')
  return { data, consumed, done: reader.done, failed: reader.failed?.reason }
}

const QUOTED = String.raw`"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"`
const TOKEN = String.raw`[!#$%&'*+.^_\x60|~\w-]+`
const EXTENSION = String.raw`(?:[\t ]*;[\t ]*${TOKEN}(?:[\t ]*=[\t ]*(?:${TOKEN}|${QUOTED}))?)*`
const SIZE_LINE = new RegExp(`^([0-9A-Fa-f]{1,16})(${EXTENSION})\r\n`)
const FIELD_LINE = new RegExp(String.raw`^${TOKEN}:[\t \x21-\x7e\x80-\xff]*\r\n`)

/** The grammar of RFC 9112 section 7.1 written a second time, slowly; only what it says of the octets read is asked. */
function isWhole(octets: Buffer, { consumed, data }: Decoded): boolean {
  let rest = octets.toString('latin1', 0, consumed)
  let body = ''
  for (;;) {
    const line = SIZE_LINE.exec(rest)
    if (line === null) return false
    rest = rest.slice(line[0].length)
    const size = Number.parseInt(line[1] ?? '', 16)
    if (size === 0) break
    body += rest.slice(0, size)
    if (rest.slice(size, size + 2) !== '\r\n') return false
    rest = rest.slice(size + 2)
  }
  for (let line = FIELD_LINE.exec(rest); line !== null; line = FIELD_LINE.exec(rest)) rest = rest.slice(line[0].length)
  if (rest !== '\r\n') return false
  must(body === data, 'the data is not that of the chunks')
  return true
}

function checkEncodedAgain(data: string): void {
  const encoded = (data === '' ? '' : chunkHeader(data.length) + data + CHUNK_END) + LAST_CHUNK
  const again = decoded(Buffer.from(`${encoded}surplus`, 'latin1'), [])
  mustEqual(again, { data, consumed: encoded.length, done: true, failed: undefined }, 'the data encoded again')
}
