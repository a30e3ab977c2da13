import { createHash } from 'node:crypto'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** What nginx cannot be as a backend: it takes bodies at `/upload` before it answers, and echoes WebSocket messages. */
export async function serveSink(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer({ noDelay: true }, socket => new SinkConnection(socket))
  await new Promise<void>(resolve => {
    server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, resolve)
  })
  return { server, port: (server.address() as AddressInfo).port }
}

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n'
const keySuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const clientHeaderBytes = 6

class SinkConnection {
  readonly #socket: Socket
  #bodyLeft = 0
  #isTunnel = false
  #waiting: Buffer = Buffer.alloc(0)

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => this.#receive(bytes))
  }

  #receive(bytes: Buffer): void {
    if (this.#bodyLeft > 0) return this.#takeBody(bytes)
    this.#waiting = this.#waiting.length === 0 ? bytes : Buffer.concat([this.#waiting, bytes])
    if (this.#isTunnel) return this.#echo()
    const end = this.#waiting.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = this.#waiting.toString('latin1', 0, end + 2)
    const rest = this.#waiting.subarray(end + 4)
    this.#waiting = Buffer.alloc(0)
    const key = /\r\nsec-websocket-key: *(\S+)\r\n/i.exec(head)?.[1]
    if (key !== undefined) return this.#upgrade(key)
    this.#bodyLeft = Number(/\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1] ?? 0)
    if (this.#bodyLeft === 0) this.#socket.write(answer)
    else if (rest.length > 0) this.#takeBody(rest)
  }

  #takeBody(bytes: Buffer): void {
    this.#bodyLeft -= bytes.length
    if (this.#bodyLeft > 0) return
    if (this.#bodyLeft < 0) this.#socket.destroy()
    else this.#socket.write(answer)
  }

  #upgrade(key: string): void {
    this.#isTunnel = true
    const accept = createHash('sha1').update(`${key}${keySuffix}`).digest('base64')
    this.#socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
  }

  /** Short frames under a mask of zeros, as our own client sends them: without the mask they are the server's. */
  #echo(): void {
    while (this.#waiting.length >= clientHeaderBytes) {
      const first = this.#waiting[0] ?? 0
      const length = (this.#waiting[1] ?? 0) & 0x7f
      if (this.#waiting.length < clientHeaderBytes + length) return
      const payload = this.#waiting.subarray(clientHeaderBytes, clientHeaderBytes + length)
      this.#socket.write(Buffer.concat([Buffer.from([first, length]), payload]))
      this.#waiting = this.#waiting.subarray(clientHeaderBytes + length)
      if ((first & 0x0f) === 8) return void this.#socket.end()
    }
  }
}
