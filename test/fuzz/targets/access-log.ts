import { type AccessRecord, formatJson, formatText } from '../../../src/proxy/access-log.ts'
import { type FuzzTarget, must, mustEqual } from '../fuzz-target.ts'

/** A line of the access log, with text of a client in every place that takes some. */
export const accessLog: FuzzTarget = {
  name: 'access-log',
  dictionary: [
    '"',
    '\\',
    '\\"',
    '\\x22',
    '\n',
    '\r',
    '\x1b[31m',
    '\0',
    ' - - [',
    '] "',
    '\x85',
    '\xff',
    '","',
    '\t',
    '-',
  ],
  seeds: () => ['/', '/a?b="c"', 'Mozilla/5.0 (X)', '\\" 200 0 "-" "-"\n127.0.0.1 - - [', '\x1b]0;x\x07'],
  check(octets) {
    const text = octets.toString('latin1')
    const parts = [0, 1, 2, 3].map(index => text.slice((index * text.length) / 4, ((index + 1) * text.length) / 4))
    const [target = '', referer = '', userAgent = '', host = ''] = parts
    const record = { ...plain, target, referer, userAgent, host }
    const line = formatText(record, times)
    must(/^[\x20-\x7e]+\n$/.test(line), 'a line is printable ASCII and ends once')
    const quoted = [...line.matchAll(/"((?:[^"\\]|\\x[0-9A-F]{2})*)"/g)].map(match => unescaped(match[1] ?? ''))
    mustEqual(quoted, [`GET ${target} HTTP/1.1`, referer || '-', userAgent || '-'], 'the quoted parts')
    must(line.replaceAll(/"[^"]*"/g, '""') === emptyLine, 'the rest of the line')
    const json = formatJson(record, times)
    must(json.indexOf('\n') === json.length - 1, 'an object is one line')
    const read = JSON.parse(json) as Record<string, unknown>
    mustEqual(
      [read['request_uri'], read['http_referer'], read['http_user_agent'], read['host']],
      [target, referer, userAgent, host],
      'the members',
    )
    return `${line.includes('\\x')} ${text.length < 4}`
  },
}

const times = { logTime: '06/Nov/1994:08:49:37 +0000', isoTime: '1994-11-06T08:49:37+00:00' }

const plain: AccessRecord = {
  clientAddress: '192.0.2.7',
  method: 'GET',
  target: '',
  minorVersion: 1,
  host: '',
  status: 200,
  bodyBytesSent: 2,
  referer: '',
  userAgent: '',
  requestBytes: 40,
  requestMs: 1,
  upstreamName: 'shop-web-80',
  upstreamAddress: '10.0.0.1:80',
  upstreamResponseBytes: '2',
  upstreamSeconds: '0.001',
  upstreamStatus: '200',
  requestId: 'id',
  namespace: 'shop',
  ingress: 'shop',
  service: 'web',
  reason: '',
}

const emptyLine = formatText(plain, times).replaceAll(/"[^"]*"/g, '""')

function unescaped(text: string): string {
  return text.replaceAll(/\\x([0-9A-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}
