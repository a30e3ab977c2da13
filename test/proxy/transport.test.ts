import { createHash, randomBytes } from 'node:crypto'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import { ReadBuffers } from '../../src/proxy/read-buffers.ts'
import { probeSocketInternals, type SocketInternals } from '../../src/proxy/socket-internals.ts'
import { Transport, type TransportOwner } from '../../src/proxy/transport.ts'
import { testCertificate } from './test-certificate.ts'

const buffers = new ReadBuffers()
const tlsPair = testCertificate('test/echo', 'echo.test', ['echo.test'])
const internals = await probeSocketInternals(buffers)
const servers: Server[] = []
const sockets: Socket[] = []

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

/** Sends back what it reads, and stops reading while that is not taken, as an exchange does. */
class Echo implements TransportOwner {
  readonly transport: Transport
  closedWith: string | undefined
  largestRead = 0
  /** Join what one read brought with a frame around it, as a head and its body are. */
  readonly #framed: boolean

  constructor(
    socket: Socket,
    options: { readonly support: SocketInternals | undefined; readonly secure: boolean; readonly framed: boolean },
  ) {
    this.#framed = options.framed
    this.transport = new Transport(socket, {
      user: this,
      support: { buffers, internals: options.support },
      secure: options.secure,
    })
  }

  transportRead(bytes: Buffer, start: number, end: number): void {
    this.largestRead = Math.max(this.largestRead, end - start)
    if (this.#framed) this.transport.cork()
    if (this.#framed) this.transport.send('<')
    const half = start + Math.floor((end - start) / 2)
    this.transport.sendBytes(bytes, start, half)
    const room = this.transport.sendBytes(bytes, half, end)
    if (this.#framed) this.transport.send('>')
    if (this.#framed) this.transport.uncork()
    // Whoever keeps a reference instead of a copy is found out.
    if (bytes === buffers.shared) bytes.fill(0x21, start, end)
    if (!room) this.transport.pause()
  }

  transportConnected(): void {}

  transportWriteFailed(): boolean {
    return false
  }

  transportDrained(): void {
    this.transport.resume()
  }

  transportEnded(): void {
    this.transport.end()
  }

  transportFinished(): void {}

  transportClosed(code: string): void {
    this.closedWith ??= code
  }
}

interface Peer {
  readonly echo: Promise<Echo>
  readonly client: Socket
}

type Variant = readonly [name: string, secure: boolean, direct: boolean]

const variants: readonly Variant[] = [
  ['plain, past the streams', false, true],
  ['plain, by the streams', false, false],
  ['TLS, past the streams', true, true],
  ['TLS, by the streams', true, false],
]

/** With `isEarly`, the socket has read something before the transport gets it. */
async function peers([, secure, direct]: Variant, { framed = false, isEarly = false } = {}): Promise<Peer> {
  const { promise: echo, resolve } = Promise.withResolvers<Echo>()
  const support = direct ? internals : undefined
  const accept = (socket: Socket): void => {
    sockets.push(socket)
    const begin = (): void => resolve(new Echo(socket, { support, secure, framed }))
    if (!isEarly) begin()
    else socket.once('readable', () => setImmediate(begin))
  }
  const { certificate, key } = tlsPair
  const server = secure
    ? createTlsServer({ cert: certificate, key, allowHalfOpen: true }, accept)
    : createServer({ allowHalfOpen: true }, accept)
  servers.push(server)
  await new Promise<void>(listening => {
    server.listen(0, '127.0.0.1', listening)
  })
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const client = secure
    ? connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
    : connect({ host: '127.0.0.1', port })
  sockets.push(client)
  return { echo, client }
}

async function received(client: Socket, pauseMs: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of client) {
    chunks.push(chunk as Buffer)
    if (pauseMs > 0 && chunks.length % 64 === 0) await new Promise(resolve => setTimeout(resolve, pauseMs))
  }
  return Buffer.concat(chunks)
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

test('this Node is one that can be gone around', () => {
  expect(internals !== undefined).toBe(Number.parseInt(process.versions.node, 10) >= 26)
})

describe.each(variants)('%s', (...variant) => {
  test.each([
    ['by a reader that keeps up', 0],
    ['by a reader that pauses', 5],
  ])('8 MB come back as they were sent, %s', async (_, pauseMs) => {
    const { client, echo } = await peers(variant)
    const body = randomBytes(8 * 1_048_576)
    const answer = received(client, pauseMs)
    client.end(body)
    expect(digest(await answer)).toBe(digest(body))
    expect((await echo).largestRead).toBeGreaterThan(0)
  })

  test('what came in reads of middle size while nothing could be sent comes back as it was sent', async () => {
    const { client, echo } = await peers(variant)
    await echo
    client.pause()
    const pieces: Buffer[] = []
    while (client.writableLength < 4 * 1_048_576) {
      const piece = randomBytes(60_000)
      pieces.push(piece)
      client.write(piece)
      await new Promise(resolve => setImmediate(resolve))
    }
    client.end()
    expect(digest(await received(client, 0))).toBe(digest(Buffer.concat(pieces)))
  })

  test('what a socket has read before, its end included, comes back before its end', async () => {
    const { client } = await peers(variant, { isEarly: true })
    const answer = received(client, 0)
    client.end('early')
    expect((await answer).toString()).toBe('early')
  })

  test('small pieces come back in order, each in one piece with what was gathered around it', async () => {
    const { client } = await peers(variant, { framed: true })
    const answers: string[] = []
    client.setEncoding('latin1')
    for (let round = 0; round < 50; round++) {
      const text = `round ${round} \xe9`
      client.write(text, 'latin1')
      let answer = ''
      while (!answer.endsWith('>')) {
        const chunk = client.read() as string | null
        if (chunk === null) await new Promise(resolve => client.once('readable', resolve))
        else answer += chunk
      }
      answers.push(answer)
    }
    expect(answers).toEqual(Array.from({ length: 50 }, (_, round) => `<round ${round} \xe9>`))
  })

  test('what is read while nothing can be sent stays bounded', async () => {
    const { client, echo } = await peers(variant)
    client.pause()
    await echo
    const mebibyte = Buffer.alloc(1_048_576, 'x')
    for (let count = 0; count < 64; count++) client.write(mebibyte)
    // The kernel takes some megabytes in each direction; then both sides have to stop.
    let left = client.writableLength
    for (let quiet = 0; quiet < 20; quiet++) {
      await new Promise(resolve => setTimeout(resolve, 10))
      if (client.writableLength !== left) quiet = 0
      left = client.writableLength
    }
    expect(left).toBeGreaterThan(32 * 1_048_576)
    client.destroy()
  })
})

test('a peer that is gone is told once, with its error', async () => {
  const { client, echo } = await peers(['plain', false, true])
  const { transport } = await echo
  client.resetAndDestroy()
  for (let tries = 0; tries < 200 && (await echo).closedWith === undefined; tries++) {
    transport.send('x')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  expect((await echo).closedWith).toMatch(/^(ECONNRESET|EPIPE)$/)
})
