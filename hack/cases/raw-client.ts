import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Message, readResponse } from './message.ts'
import { Waiters } from './waiters.ts'

/** Where a case is sent. */
export interface Listener {
  readonly name: 'clear' | 'tls'
  readonly port: number
  /** The certificate that the TLS listener must show, in PEM. */
  readonly certificate: string
}

export interface Received {
  /** 1xx. */
  readonly interim: readonly Message[]
  readonly final: readonly Message[]
  /** Why the bytes after these are no response. */
  readonly fault: string | undefined
  /** The proxy ended the connection, cleanly or by a reset. */
  readonly closed: boolean
  readonly reset: boolean
  readonly octets: Buffer
}

const connectTimeoutMs = 5000

/** One client connection that sends raw bytes and keeps all that comes back. */
export class RawClient {
  readonly #socket: Socket
  readonly #received: Buffer[] = []
  readonly #waiters = new Waiters()
  #closed = false
  #reset = false
  #leaving = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (data: Buffer) => {
      this.#received.push(data)
      this.#waiters.changed()
    })
    socket.on('error', () => {
      if (!this.#leaving && !this.#closed) this.#reset = true
    })
    for (const event of ['end', 'close'] as const) {
      socket.on(event, () => {
        this.#closed = true
        this.#waiters.changed()
      })
    }
  }

  static async connect(listener: Listener): Promise<RawClient> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    const address = { host: '127.0.0.1', port: listener.port, allowHalfOpen: true }
    const trusted = { servername: 'a.test', ca: listener.certificate, ALPNProtocols: ['http/1.1'] }
    const ready = (): void => resolve(undefined)
    const socket =
      listener.name === 'clear' ? connectTcp(address, ready) : connectTls({ ...address, ...trusted }, ready)
    socket.setNoDelay()
    const timer = setTimeout(() => {
      socket.destroy(new Error(`the ${listener.name} listener took no connection in ${connectTimeoutMs} ms`))
    }, connectTimeoutMs)
    socket.once('error', reject)
    await promise.finally(() => clearTimeout(timer))
    socket.off('error', reject)
    return new RawClient(socket)
  }

  send(octets: Buffer): void {
    if (octets.length > 0 && this.#socket.writable) this.#socket.write(octets)
  }

  /** Ends what is sent; what comes is still read. */
  halfClose(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#leaving = true
    this.#socket.destroy()
  }

  get closed(): boolean {
    return this.#closed
  }

  /** What has come; `methods` are those of the requests, in order, for a response to HEAD has no body. */
  received(methods: readonly string[]): Received {
    const octets = Buffer.concat(this.#received)
    const interim: Message[] = []
    const final: Message[] = []
    let fault: string | undefined
    for (let at = 0; at < octets.length; ) {
      const method = methods[final.length] ?? 'GET'
      const reading = readResponse(octets.subarray(at), method, this.#closed && !this.#reset)
      if (reading.kind === 'faulty') fault = reading.reason
      // Such as the content of an answer to HEAD.
      if (reading.kind === 'no-head' && final.length > 0 && this.#closed && !this.#reset) fault = 'surplus octets'
      if (reading.kind !== 'message') break
      ;(reading.message.startLine[1].startsWith('1') ? interim : final).push(reading.message)
      if (!reading.message.complete) break
      at += reading.octets
    }
    return { interim, final, fault, closed: this.#closed, reset: this.#reset, octets }
  }

  /** True as soon as the condition holds, false when the time is over before. */
  async until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    return this.#waiters.until(condition, timeoutMs)
  }
}
