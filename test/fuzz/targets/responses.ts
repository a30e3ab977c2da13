import { parseResponseHead } from '../../../src/http1/response-head.ts'
import { responsesByLlhttp } from '../../http1/llhttp.ts'
import { responseDisagreement } from '../../http1/llhttp-agreement.ts'
import { type ResponseReading, readResponses, relayed } from '../../http1/response-stream.ts'
import { limits } from '../../http1/simulated-client.ts'
import { answeredBy, responseCases } from '../../http1/wire-cases.ts'
import { countingReads, cutsOf, type FuzzTarget, must, mustEqual } from '../fuzz-target.ts'

const MAX_SEED_OCTETS = 1200
const READS_PER_OCTET = 8

/** Everything that an endpoint sends for one request. */
export const responses: FuzzTarget = {
  name: 'responses',
  dictionary: [
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\r',
    ' ',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.0 200 OK\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 103 Early Hints\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n',
    'HTTP/1.1 204 No Content\r\n\r\n',
    '304',
    'Content-Length: 2\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Connection: close\r\n',
    'Connection: X-A, keep-alive\r\n',
    'Keep-Alive: timeout=5\r\n',
    'Upgrade: websocket\r\n',
    'Date: x\r\n',
    'Set-Cookie: a=b\r\n',
    '2\r\nok\r\n',
    '0\r\n\r\n',
    ' :',
  ],
  seeds: () => responseCases.map(answeredBy).flatMap(octets => textOf(octets)),
  check(octets) {
    const kinds = ['GET', 'HEAD'].map(method => checkAnswerTo(method, octets))
    const counting = countingReads(octets)
    parseResponseHead(counting.octets, 0, octets.length, limits, 'GET')
    const reads = counting.reads()
    must(reads <= READS_PER_OCTET * (octets.length + 16), `${reads} reads of ${octets.length} octets`)
    return kinds.join(' ')
  },
}

function textOf(octets: Buffer): readonly string[] {
  return octets.length <= MAX_SEED_OCTETS ? [octets.toString('latin1')] : []
}

function checkAnswerTo(method: string, octets: Buffer): string {
  const whole = readResponses(octets, [], method)
  for (const cuts of cutsOf(octets)) {
    mustEqual(readResponses(octets, cuts, method), whole, `the answer to ${method} read in ${cuts.length + 1} pieces`)
  }
  const disagreement = responseDisagreement(octets, whole, method)
  must(disagreement === undefined, disagreement ?? '')
  checkRelayed(whole, method)
  const head = whole.heads.at(-1)
  const kind = [
    head?.framing,
    head?.keepAlive,
    whole.complete,
    whole.refusal,
    whole.surplus > 0,
    Math.min(whole.heads.length, 3),
  ]
  return kind.join(' ')
}

/** What goes to the client is one response for whoever reads it, and the one that came. */
function checkRelayed({ heads, body, complete }: ResponseReading, method: string): void {
  for (const head of heads) {
    must(/^(?:[^\r\n\0]+\r\n)*$/.test(head.fields) && !/[\r\n\0]/.test(head.reason), 'a line holds CR, LF or NUL')
  }
  const head = heads.at(-1)
  if (!complete || head === undefined || head.status < 200) return
  const octets = relayed(head, body)
  const again = readResponses(octets, [], method)
  mustEqual(
    [
      again.heads.map(({ status, fields, reason }) => [status, fields, reason]),
      again.body,
      again.complete,
      again.surplus,
    ],
    [[[head.status, head.fields, head.reason]], body, true, 0],
    'what is relayed',
  )
  const theirs = responsesByLlhttp(octets, method)
  must(theirs.fault === undefined, `what is relayed is a fault to llhttp: ${theirs.fault}`)
  mustEqual(
    theirs.messages.map(message => [message.status, message.body, message.complete]),
    [[head.status, body, true]],
    'what is relayed, read by llhttp',
  )
}
