import { connect, type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import type { InstancePorts } from './serve-instance.ts'

/** What clients do that break off, dawdle or talk nonsense. Each leaves its connection behind in its own way. */
const manners: readonly ((socket: Socket, host: string) => void)[] = [
  // Asks for much and is gone before it comes.
  (socket, host) => {
    socket.write(`GET /large/0 HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    socket.once('data', () => socket.resetAndDestroy())
  },
  // Breaks off in the middle of its body.
  (socket, host) => {
    socket.write(`POST /post/0 HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(1_000)}`)
    setTimeout(() => socket.destroy(), 20)
  },
  (socket, host) => {
    socket.write(`POST /post/0 HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nshort`)
    setTimeout(() => socket.resetAndDestroy(), 20)
  },
  // Is gone before the answer begins.
  (socket, host) => {
    socket.write(`GET /chunked/0 HTTP/1.1\r\nHost: ${host}\r\n\r\n`, () => socket.destroy())
  },
  socket => socket.write('nonsense\r\n\r\n'),
  (socket, host) => socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`),
  (socket, host) => socket.write(`GET /small/0 HTTP/1.1\r\nHost: unknown.${host}\r\n\r\n`),
  // Asks three times at once and ends its side.
  (socket, host) => socket.end(`GET /small/0 HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(3)),
  // Half a head, then silence.
  (socket, host) => {
    socket.write(`GET /small/0 HTTP/1.1\r\nHost: ${host}\r\n`)
    setTimeout(() => socket.destroy(), 500)
  },
  // A tunnel that nobody closes.
  (socket, host) => {
    socket.write(
      `GET /websocket/0 HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    setTimeout(() => socket.resetAndDestroy(), 100)
  },
]

/** Breaks off handshakes, or sends what is none. */
const handshakeManners: readonly ((port: number) => Socket)[] = [
  port => {
    const socket = connect(port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\n\r\n')
    return socket
  },
  port => {
    const socket = tlsConnect({ host: '127.0.0.1', port, servername: 'web-0.example.com', rejectUnauthorized: false })
    socket.once('connect', () => socket.destroy())
    return socket
  },
]

/** Ends what its manner leaves open. */
const patienceMs = 3_000

/** So many rude clients a second, in turn of every kind, until `stop`. */
export class RudeClients {
  readonly #open = new Set<Socket>()
  readonly #timer: NodeJS.Timeout
  #count = 0

  constructor(ports: InstancePorts, options: { readonly host: string; readonly perSecond: number }) {
    this.#timer = setInterval(() => this.#begin(ports, options.host), 1_000 / options.perSecond)
  }

  /** Resolves when every connection is closed. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(
      [...this.#open].map(async socket => {
        await new Promise<void>(resolve => {
          socket.once('close', () => resolve())
          socket.destroy()
        })
      }),
    )
  }

  #begin(ports: InstancePorts, host: string): void {
    const turn = this.#count++ % (manners.length + handshakeManners.length)
    const manner = manners[turn]
    const socket =
      manner === undefined
        ? handshakeManners[turn - manners.length]?.(ports.https)
        : connect({ host: '127.0.0.1', port: ports.http, allowHalfOpen: true })
    if (socket === undefined) return
    this.#open.add(socket)
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.once('close', () => this.#open.delete(socket))
    socket.setTimeout(patienceMs, () => socket.destroy())
    socket.resume()
    if (manner !== undefined) socket.once('connect', () => manner(socket, host))
  }
}
