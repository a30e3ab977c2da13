import { BodyReader } from '../../../src/http1/body-reader.ts'
import type { RequestHead, ResponseHead } from '../../../src/http1/messages.ts'
import { detached } from '../../../src/http1/octets.ts'
import { parseRequestHead } from '../../../src/http1/request-head.ts'
import { parseResponseHead } from '../../../src/http1/response-head.ts'
import {
  type RequestExtras,
  serialiseForwarding,
  serialiseRequestHead,
  serialiseResponseHead,
} from '../../../src/http1/serialise.ts'
import type { MicroCase } from './micro-case.ts'

const limits = { maxRequestLineBytes: 16_384, maxHeaderBytes: 32_768, maxHeaderCount: 100 }

/** As a load generator sends it. */
const shortRequest = Buffer.from('GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n')

/** As a browser sends it. */
const browserRequest = Buffer.from(
  [
    'GET /cart/items?page=2&sort=price HTTP/1.1',
    'Host: shop.example.com',
    'Connection: keep-alive',
    'sec-ch-ua: "Chromium";v="130", "Not?A_Brand";v="99"',
    'sec-ch-ua-mobile: ?0',
    'sec-ch-ua-platform: "Linux"',
    'Upgrade-Insecure-Requests: 1',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
    'Sec-Fetch-Site: same-origin',
    'Sec-Fetch-Mode: navigate',
    'Referer: https://shop.example.com/cart',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Accept-Language: en-GB,en;q=0.9',
    'Cookie: session=0123456789abcdef0123456789abcdef; theme=dark',
    '',
    '',
  ].join('\r\n'),
)

const response = Buffer.from(
  'HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 05 Jan 2026 10:00:00 GMT\r\nContent-Type: text/plain\r\n' +
    'Content-Length: 64\r\nConnection: keep-alive\r\n\r\n',
)

const extras: RequestExtras = {
  host: 'shop.example.com',
  requestId: '0123456789abcdef0123456789abcdef',
  // On its own and in one piece, as connections keep it.
  forwarding: detached(
    serialiseForwarding({
      forwardedFor: '192.0.2.17',
      forwardedHost: 'shop.example.com',
      forwardedPort: '443',
      forwardedProto: 'https',
      realIp: '192.0.2.17',
    }),
  ),
}

const responseExtras = {
  framing: 'length',
  contentLength: 64,
  connection: undefined,
  date: 'Mon, 05 Jan 2026 10:00:00 GMT',
  server: '',
} as const

export function headCases(): readonly MicroCase[] {
  const short = requestOf(shortRequest)
  const browser = requestOf(browserRequest)
  const answer = responseOf(response)
  return [
    { name: 'parseRequestHead short', call: () => parseRequestHead(shortRequest, 0, shortRequest.length, limits) },
    {
      name: 'parseRequestHead browser',
      call: () => parseRequestHead(browserRequest, 0, browserRequest.length, limits),
    },
    { name: 'parseResponseHead', call: () => parseResponseHead(response, 0, response.length, limits, 'GET') },
    { name: 'serialiseRequestHead short', call: () => flat(serialiseRequestHead(short, extras)) },
    { name: 'serialiseRequestHead browser', call: () => flat(serialiseRequestHead(browser, extras)) },
    { name: 'serialiseResponseHead', call: () => flat(serialiseResponseHead(answer, responseExtras)) },
  ]
}

const data = Buffer.alloc(65_536, 'x')
const chunk = Buffer.concat([Buffer.from('1000\r\n'), Buffer.alloc(4096, 'x'), Buffer.from('\r\n')])
const chunked = Buffer.concat([...Array.from({ length: 15 }, () => chunk), Buffer.from('0\r\n\r\n')])
const received = Buffer.alloc(chunked.length)

export function bodyCases(): readonly MicroCase[] {
  let octets = 0
  const sink = (_bytes: Buffer, start: number, end: number): void => {
    octets += end - start
  }
  return [
    {
      name: 'BodyReader length, 64 KiB',
      call: () => {
        new BodyReader('length', data.length).read(data, 0, data.length, sink)
        return octets
      },
    },
    {
      name: 'BodyReader chunked, 15 × 4 KiB',
      call: () => {
        // It may move chunk data together within what it is given.
        chunked.copy(received)
        new BodyReader('chunked', 0).read(received, 0, received.length, sink)
        return octets
      },
    },
  ]
}

const wire = Buffer.alloc(16_384)

/** Joining text is put off until it is written, so it is written. */
function flat(text: string): number {
  return wire.write(text, 'latin1')
}

function requestOf(bytes: Buffer): RequestHead {
  const parsed = parseRequestHead(bytes, 0, bytes.length, limits)
  if (parsed.kind !== 'head') throw new Error(`the request is ${parsed.kind}`)
  return parsed.head
}

function responseOf(bytes: Buffer): ResponseHead {
  const parsed = parseResponseHead(bytes, 0, bytes.length, limits, 'GET')
  if (parsed.kind !== 'head') throw new Error(`the response is ${parsed.kind}`)
  return parsed.head
}
