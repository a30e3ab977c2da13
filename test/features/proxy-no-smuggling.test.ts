import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mutated } from '../fuzz/mutation.ts'
import { Random } from '../fuzz/random.ts'
import { requests as target } from '../fuzz/targets/requests.ts'
import { requestsByLlhttp } from '../http1/llhttp.ts'
import { readRequests } from '../http1/request-stream.ts'
import { host, InProcess, turn } from '../proxy/in-process.ts'

/** Client connections, each with octets of its own. */
const CONNECTIONS = 250
const SEED = 9112
/** Those that the judge knows. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])

/** What the endpoint has read, with the parser of Node and no other, in order. */
const arrived: string[] = []
const faults: string[] = []
const sockets = new Set<Socket>()
let endpoint: Server
let proxy: InProcess

beforeAll(async () => {
  endpoint = createServer(serve)
  endpoint.listen(0, '127.0.0.1')
  await once(endpoint, 'listening')
  const { port } = endpoint.address() as AddressInfo
  proxy = await new InProcess().start({ hosts: { 'a.test': host('a.test', 'app') }, backends: { app: [port] } })
})

afterAll(async () => {
  await proxy.close()
  for (const socket of sockets) socket.destroy()
  endpoint.close()
})

function serve(socket: Socket): void {
  let octets: Buffer = Buffer.alloc(0)
  let answered = 0
  sockets.add(socket)
  socket.on('error', () => undefined)
  socket.on('close', () => sockets.delete(socket))
  socket.on('data', (data: Buffer) => {
    octets = Buffer.concat([octets, data])
    const { messages, fault } = requestsByLlhttp(octets)
    // What has not come whole is no fault yet.
    if (fault !== undefined && fault !== 'HPE_INVALID_EOF_STATE')
      faults.push(`${fault} in ${octets.toString('latin1')}`)
    for (const message of messages.filter(({ complete }) => complete).slice(answered)) {
      answered++
      arrived.push(textOf(message.method, message.target, message.body))
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    }
  })
}

function textOf(method: string, target: string, body: string): string {
  return `${method} ${target} ${JSON.stringify(body)}`
}

/**
 * The requests for the one host that is served, but for those that the proxy answers itself. One for another host, or
 * with an https target in the clear, ends its connection.
 */
function expectedOf(octets: Buffer): readonly string[] | undefined {
  const { requests } = readRequests(octets, [])
  if (requests.some(({ head }) => !METHODS.has(head.method))) return undefined
  const other = requests.findIndex(({ head }) => head.host !== 'a.test' || head.scheme === 'https')
  const served = other < 0 ? requests : requests.slice(0, other)
  return served
    .filter(({ head }) => !head.finalRecipient)
    .map(({ head, body }) => textOf(head.method, head.target, body))
}

test('an endpoint reads the requests that the proxy has read, each once and none else, whatever clients send', async () => {
  const random = new Random(SEED)
  const seeds = target.seeds().map(text => Buffer.from(text, 'latin1'))
  const others = seeds.filter(octets => expectedOf(octets)?.length !== 0)
  const dictionary = target.dictionary.map(text => Buffer.from(text, 'latin1'))
  const expected: string[] = []
  for (let count = 0; count < CONNECTIONS; ) {
    const octets = mutated(Buffer.concat([random.of(others), random.of(others)]), { random, others, dictionary })
    const due = expectedOf(octets)
    if (due === undefined) continue
    count++
    expected.push(...due)
    await send(octets, random.below(octets.length + 1), expected.length)
  }
  // Whatever was begun in vain would be seen before it.
  const last = textOf('GET', '/last', '')
  await send(Buffer.from('GET /last HTTP/1.1\r\nHost: a.test\r\n\r\n'), 0, expected.length + 1)
  expect(faults).toEqual([])
  expect(arrived).toEqual([...expected, last])
  expect(expected.length).toBeGreaterThan(CONNECTIONS / 4)
}, 60_000)

/** In two pieces, until all that must arrive has, or the proxy has had enough. */
async function send(octets: Buffer, cut: number, total: number): Promise<void> {
  const client = await proxy.client()
  client.socket.write(octets.subarray(0, cut))
  await turn()
  client.socket.write(octets.subarray(cut))
  while (arrived.length < total && !client.ended) await turn()
  client.socket.destroy()
}
