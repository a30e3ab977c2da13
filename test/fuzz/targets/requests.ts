import { parseRequestHead } from '../../../src/http1/request-head.ts'
import { requestsByLlhttp } from '../../http1/llhttp.ts'
import { requestDisagreement } from '../../http1/llhttp-agreement.ts'
import { forwarded, type ReadRequest, readNext, readRequests } from '../../http1/request-stream.ts'
import { limits } from '../../http1/simulated-client.ts'
import { requestCases, sentBy } from '../../http1/wire-cases.ts'
import { countingReads, cutsOf, type FuzzTarget, must, mustEqual } from '../fuzz-target.ts'

const MAX_SEED_OCTETS = 1200
/** Each octet is looked at a few times: to find its line, its name and what it means. */
const READS_PER_OCTET = 8

/** Everything that one client sends on a connection: heads, bodies and what follows them. */
export const requests: FuzzTarget = {
  name: 'requests',
  dictionary: [
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\r',
    ' ',
    '\t',
    'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n',
    'POST /p HTTP/1.1\r\nHost: a.test\r\n',
    'HTTP/1.0',
    'HTTP/1.1',
    'Host: a.test\r\n',
    'Content-Length: 5\r\n',
    'Content-Length: 0\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Transfer_Encoding: chunked\r\n',
    'Connection: close\r\n',
    'Connection: keep-alive, X-A, Upgrade\r\n',
    'Upgrade: websocket\r\n',
    'Expect: 100-continue\r\n',
    'X-Forwarded-For: 1\r\n',
    'Cookie: a=b\r\n',
    'OPTIONS ',
    'Max-Forwards: 1\r\n',
    'http://b.test:80',
    '/../%2e%2e/',
    '%2f..%5c',
    '5\r\nhello\r\n',
    '0\r\n\r\n',
    ';a="b"',
    'chunked',
    ', ',
  ],
  seeds: () => requestCases.map(sentBy).flatMap(octets => textOf(octets)),
  check(octets) {
    const whole = readRequests(octets, [])
    for (const cuts of cutsOf(octets)) {
      mustEqual(readRequests(octets, cuts), whole, `requests read in ${cuts.length + 1} pieces`)
    }
    for (const request of whole.requests) checkForwarded(request)
    const disagreement = requestDisagreement(octets, whole)
    must(disagreement === undefined, disagreement ?? '')
    checkWork(octets)
    const kinds = whole.requests.map(({ head }) => [
      head.framing,
      head.keepAlive,
      head.upgradeWebSocket,
      head.minorVersion,
    ])
    return [...kinds.slice(0, 3), whole.refusal, whole.partial].join(' ')
  },
}

function textOf(octets: Buffer): readonly string[] {
  return octets.length <= MAX_SEED_OCTETS ? [octets.toString('latin1')] : []
}

/** What goes upstream is one request for whoever reads it, and the one that came. */
function checkForwarded(request: ReadRequest): void {
  const { head, body } = request
  for (const [key, value] of Object.entries({ ...head, ...head.identity, fields: '' })) {
    must(typeof value !== 'string' || !/[\r\n\0]/.test(value), `${key} holds CR, LF or NUL`)
  }
  must(/^(?:[^\r\n\0]+\r\n)*$/.test(head.fields), 'a forwarded field line holds CR, LF or NUL')
  const octets = forwarded(request)
  if (head.host === '' || head.finalRecipient) return
  const again = readRequests(octets, [])
  mustEqual(
    again,
    { requests: [{ head: readNext(head), body }], refusal: undefined, partial: false },
    'what is forwarded',
  )
  const theirs = requestsByLlhttp(octets)
  if (theirs.fault === 'HPE_INVALID_METHOD') return
  must(theirs.fault === undefined, `what is forwarded is a fault to llhttp: ${theirs.fault}`)
  mustEqual(
    theirs.messages.map(message => [message.method, message.target, message.body, message.complete]),
    [[head.method, head.target, body, true]],
    'what is forwarded, read by llhttp',
  )
}

function checkWork(octets: Buffer): void {
  const counting = countingReads(octets)
  parseRequestHead(counting.octets, 0, octets.length, limits)
  must(
    counting.reads() <= READS_PER_OCTET * (octets.length + 16),
    `${counting.reads()} reads of ${octets.length} octets`,
  )
}
