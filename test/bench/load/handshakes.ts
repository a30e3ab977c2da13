import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import { readAnswer } from './answer.ts'

export interface HandshakesOptions {
  readonly port: number
  readonly host: string
  readonly path: string
  readonly concurrency: number
  readonly seconds: number
  /** Take up the session of the connection before, so that no certificate is sent or signed with. */
  readonly resumed: boolean
}

export interface HandshakesResult {
  /** Handshakes, each followed by one answered request. */
  readonly done: number
  readonly failures: Readonly<Record<'status' | 'reset' | 'wrongKind', number>>
}

const answerTimeoutMs = 10_000

/** A connection for every request, TLS 1.3 with X25519 and AES-128-GCM for everybody, as fast as answers come. */
export async function runHandshakes(options: HandshakesOptions): Promise<HandshakesResult> {
  const clients = new Handshakes(options)
  await Promise.all(Array.from({ length: options.concurrency }, () => clients.loop()))
  return clients.result()
}

class Handshakes {
  readonly #options: HandshakesOptions
  readonly #context: SecureContext
  readonly #deadline: number
  readonly #request: string
  #session: Buffer | undefined
  #done = 0
  readonly #failures = { status: 0, reset: 0, wrongKind: 0 }

  constructor(options: HandshakesOptions) {
    this.#options = options
    // One group for all: newer libraries would add a post-quantum exchange where both ends know it.
    this.#context = createSecureContext({
      minVersion: 'TLSv1.3',
      ecdhCurve: 'X25519',
      ciphers: 'TLS_AES_128_GCM_SHA256',
    })
    this.#deadline = performance.now() + options.seconds * 1000
    this.#request = `GET ${options.path} HTTP/1.1\r\nHost: ${options.host}\r\nConnection: close\r\n\r\n`
  }

  async loop(): Promise<void> {
    if (this.#options.resumed) await this.#connection(undefined)
    while (performance.now() < this.#deadline) {
      const session = this.#options.resumed ? this.#session : undefined
      const isReused = await this.#connection(session)
      if (isReused === undefined) continue
      if (isReused === this.#options.resumed) this.#done++
      else this.#failures.wrongKind++
    }
  }

  result(): HandshakesResult {
    return { done: this.#done, failures: { ...this.#failures } }
  }

  /** Whether the session was taken up; undefined when it failed. */
  async #connection(session: Buffer | undefined): Promise<boolean | undefined> {
    const { port, host } = this.#options
    const taken = session === undefined ? {} : { session }
    return new Promise(resolve => {
      const options = { host: '127.0.0.1', port, servername: host, secureContext: this.#context, ...taken }
      const socket = connect({ ...options, rejectUnauthorized: false }, () => {
        socket.write(this.#request)
      })
      socket.on('session', (given: Buffer) => {
        this.#session = given
      })
      this.#readAnswer(socket, resolve)
    })
  }

  #readAnswer(socket: TLSSocket, done: (isReused: boolean | undefined) => void): void {
    let received: Buffer = Buffer.alloc(0)
    let isReused: boolean | undefined
    let answered = false
    socket.on('data', (bytes: Buffer) => {
      received = received.length === 0 ? bytes : Buffer.concat([received, bytes])
      const answer = readAnswer(received, received.length)
      if (answer === undefined) return
      answered = true
      if (answer.status === 200) isReused = socket.isSessionReused()
      else this.#failures.status++
      socket.end()
    })
    socket.setTimeout(answerTimeoutMs, () => socket.destroy())
    socket.on('error', () => {})
    socket.once('close', () => {
      if (isReused === undefined && !answered) this.#failures.reset++
      done(isReused)
    })
  }
}
