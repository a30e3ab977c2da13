import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type SecureContext, type Server as TlsServer } from 'node:tls'
import { tlsOptions } from './secure-contexts.ts'

/** Connections that wait in the kernel for one worker. */
const backlog = 1_024

export interface ListenersOptions {
  readonly address: string
  readonly httpPort: number
  readonly httpsPort: number
  readonly ticketKeys: Uint8Array
  /** How long a TLS handshake may take. */
  readonly handshakeMs: number
  /** The context for a TLS server name; undefined ends the handshake. */
  readonly contextFor: (serverName: string) => SecureContext | undefined
  /** Whether one more connection may begin its handshake, beside those that are in theirs; else it is closed. */
  readonly mayHandshake: (handshaking: number, socket: Socket) => boolean
  readonly onConnection: (socket: Socket, secure: boolean) => void
  readonly onHandshakeFailed: () => void
  readonly onError: (error: Error) => void
}

/**
 * The two listening sockets of one worker. Every worker binds the same ports with SO_REUSEPORT and the kernel spreads
 * connections, so there is no hand-over between threads.
 */
export class Listeners {
  readonly #options: ListenersOptions
  readonly #http: Server
  readonly #https: TlsServer
  #accepted = 0
  #handshaking = 0

  constructor(options: ListenersOptions) {
    this.#options = options
    // A client may close its sending side and still wait for the answer.
    this.#http = createServer({ noDelay: true, allowHalfOpen: true }, socket => this.#onSocket(socket))
    this.#https = this.#createTlsServer()
    for (const server of [this.#http, this.#https]) server.on('error', options.onError)
  }

  async listen(): Promise<{ readonly httpPort: number; readonly httpsPort: number }> {
    const { address, httpPort, httpsPort } = this.#options
    return {
      httpPort: await listen(this.#http, address, httpPort),
      httpsPort: await listen(this.#https, address, httpsPort),
    }
  }

  /** Connections accepted so far, to see that no more come. */
  get accepted(): number {
    return this.#accepted
  }

  /** TLS handshakes under way. */
  get handshaking(): number {
    return this.#handshaking
  }

  /** Stops accepting. What the kernel has queued and was not accepted is lost: wait for a quiet moment first. */
  close(): void {
    this.#http.close()
    this.#https.close()
  }

  #onSocket(socket: Socket): void {
    this.#accepted++
    this.#options.onConnection(socket, false)
  }

  #createTlsServer(): TlsServer {
    const server = createTlsServer({
      ...tlsOptions,
      ALPNProtocols: ['http/1.1'],
      SNICallback: (serverName, done) => this.#choose(serverName, done),
      ticketKeys: Buffer.from(this.#options.ticketKeys),
      sessionIdContext: 'ingress-fleet',
      handshakeTimeout: this.#options.handshakeMs,
      noDelay: true,
      allowHalfOpen: true,
    })
    // Before the handshake: an error of such a socket has no other listener.
    server.on('connection', (socket: Socket) => {
      this.#accepted++
      socket.on('error', () => {})
      const isAllowed = this.#options.mayHandshake(this.#handshaking, socket)
      this.#handshaking++
      // Its TLS socket ends with it, as a handshake that failed.
      if (!isAllowed) socket.destroy()
    })
    server.on('secureConnection', socket => {
      this.#handshaking--
      this.#options.onConnection(socket, true)
    })
    server.on('tlsClientError', (_error, socket) => {
      this.#handshaking--
      this.#options.onHandshakeFailed()
      socket.destroy()
    })
    return server
  }

  /** Whatever a client sends as its server name, it must not end the worker. */
  #choose(serverName: string, done: (error: Error | null, context?: SecureContext) => void): void {
    try {
      const context = this.#options.contextFor(serverName)
      if (context === undefined) done(new Error('no certificate for this server name'))
      else done(null, context)
    } catch (error) {
      this.#options.onError(error instanceof Error ? error : new Error('server name could not be judged'))
      done(new Error('no certificate for this server name'))
    }
  }

  /** For clients that send no server name; a change does not touch open connections. */
  useDefault(certificate: { readonly certificate: string; readonly key: string }): void {
    this.#https.setSecureContext({
      ...tlsOptions,
      cert: certificate.certificate,
      key: certificate.key,
      ticketKeys: Buffer.from(this.#options.ticketKeys),
      sessionIdContext: 'ingress-fleet',
    })
  }
}

async function listen(server: Server, address: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address, port, backlog, exclusive: true, reusePort: true }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const bound = server.address()
  return bound !== null && typeof bound === 'object' ? bound.port : port
}
