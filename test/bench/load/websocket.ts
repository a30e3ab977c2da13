import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface WebSocketOptions {
  readonly port: number
  readonly host: string
  readonly connections: number
  readonly seconds: number
}

export interface WebSocketResult {
  /** Messages that came back as they were sent. */
  readonly messages: number
  readonly failures: Readonly<Record<'upgrade' | 'wrongAnswer' | 'reset', number>>
}

const payloadBytes = 64
/** Final text frame, masked, of 64 octets; the mask is all zeros, so that the octets are as they are (RFC 6455, 5.3). */
const clientHeader = Buffer.from([0x81, 0x80 | payloadBytes, 0, 0, 0, 0])
const serverFrameBytes = 2 + payloadBytes
/** A message that is not back so long after the end never will be. */
const graceMs = 5000
const closeFrame = Buffer.from([0x88, 0x80, 0, 0, 0, 0])

/** Each connection sends its next message when the one before came back. */
export async function runWebSocket(options: WebSocketOptions): Promise<WebSocketResult> {
  const clients = Array.from({ length: options.connections }, (_, index) => new Client(options, index))
  const results = await Promise.all(clients.map(client => client.run()))
  const sum = (of: (result: WebSocketResult) => number): number => results.reduce((total, one) => total + of(one), 0)
  return {
    messages: sum(one => one.messages),
    failures: {
      upgrade: sum(one => one.failures.upgrade),
      wrongAnswer: sum(one => one.failures.wrongAnswer),
      reset: sum(one => one.failures.reset),
    },
  }
}

class Client {
  readonly #options: WebSocketOptions
  readonly #index: number
  readonly #frame = Buffer.alloc(clientHeader.length + payloadBytes, 'm')
  readonly #failures = { upgrade: 0, wrongAnswer: 0, reset: 0 }
  #messages = 0
  #waiting: Buffer = Buffer.alloc(0)
  #upgraded = false
  #deadline = 0
  #ended = false

  constructor(options: WebSocketOptions, index: number) {
    this.#options = options
    this.#index = index
    clientHeader.copy(this.#frame)
  }

  async run(): Promise<WebSocketResult> {
    const { port, host, seconds } = this.#options
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    this.#deadline = performance.now() + seconds * 1000
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => this.#receive(socket, bytes))
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    )
    const timer = setTimeout(() => socket.destroy(), seconds * 1000 + graceMs)
    await once(socket, 'close')
    clearTimeout(timer)
    if (!this.#ended) this.#failures[this.#upgraded ? 'reset' : 'upgrade']++
    return { messages: this.#messages, failures: this.#failures }
  }

  #receive(socket: Socket, bytes: Buffer): void {
    this.#waiting = this.#waiting.length === 0 ? bytes : Buffer.concat([this.#waiting, bytes])
    if (!this.#upgraded && !this.#takeUpgrade(socket)) return
    while (this.#waiting.length >= serverFrameBytes && !this.#ended) {
      const frame = this.#waiting.subarray(0, serverFrameBytes)
      this.#waiting = this.#waiting.subarray(serverFrameBytes)
      if (frame.compare(this.#expected(), 0, serverFrameBytes) === 0) this.#messages++
      else this.#failures.wrongAnswer++
      this.#sendNext(socket)
    }
  }

  #takeUpgrade(socket: Socket): boolean {
    const end = this.#waiting.indexOf('\r\n\r\n')
    if (end < 0) return false
    if (!this.#waiting.toString('latin1', 0, end).startsWith('HTTP/1.1 101 ')) {
      socket.destroy()
      return false
    }
    this.#upgraded = true
    this.#waiting = this.#waiting.subarray(end + 4)
    this.#sendNext(socket)
    return true
  }

  #sendNext(socket: Socket): void {
    if (performance.now() >= this.#deadline || this.#failures.wrongAnswer > 0) {
      this.#ended = true
      socket.end(closeFrame)
      return
    }
    this.#frame.write(`${this.#index}:${this.#messages}`.padEnd(24), clientHeader.length, 'latin1')
    socket.write(this.#frame)
  }

  #expected(): Buffer {
    const payload = this.#frame.subarray(clientHeader.length)
    return Buffer.concat([Buffer.from([0x81, payloadBytes]), payload])
  }
}
