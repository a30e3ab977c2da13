import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type SecureContext, type TLSSocket, type Server as TlsServer } from 'node:tls'
import type { TlsParameters } from '../api/tls-profile.ts'
import { Handshakes } from './handshakes.ts'
import { contextOptions } from './secure-contexts.ts'

/** Connections that wait in the kernel for one worker. */
const backlog = 1_024

/** How long a client may resume a session; the keys of its ticket are rotated, too, which may end it before. */
const sessionSeconds = 7_200

/** What a handshake gets for its server name. */
export interface HandshakeAnswer {
  readonly context: SecureContext
  /** The client is asked for a certificate; what it sends is judged per request. */
  readonly asksForCertificate: boolean
}

/** What every handshake has in common; it may change while connections are open. */
export interface TlsServing {
  /** For clients that send no server name; chain and key in PEM. */
  readonly certificate: { readonly certificate: string; readonly key: string } | undefined
  readonly parameters: TlsParameters
  /** Sessions resume where it is the same, at any worker and replica; at most 32 characters. */
  readonly sessionContext: string
}

export interface ListenersOptions {
  readonly address: string
  readonly httpPort: number
  readonly httpsPort: number
  /** 48 bytes. */
  readonly ticketKeys: Uint8Array
  readonly tls: TlsServing
  /** The answer for a TLS server name; undefined ends the handshake. */
  readonly answerFor: (serverName: string) => HandshakeAnswer | undefined
  /** Whether one more connection may begin its handshake, beside those that are in theirs; else it is closed. */
  readonly mayHandshake: (handshakes: Handshakes, socket: Socket) => boolean
  readonly onConnection: (socket: Socket, secure: boolean) => void
  readonly onHandshakeFailed: () => void
  readonly onError: (error: Error) => void
  readonly nowMs: () => number
}

/**
 * The two listening sockets of one worker. Every worker binds the same ports with SO_REUSEPORT and the kernel spreads
 * connections, so there is no hand-over between threads.
 */
export class Listeners {
  readonly #options: ListenersOptions
  readonly #http: Server
  readonly #https: Server
  /** Does not listen: it is given the connections that may begin a handshake. */
  readonly #tls: TlsServer
  readonly #handshakes = new Handshakes()
  readonly #onSecureSocketClosed: (this: Socket) => void
  #ticketKeys: Buffer
  #accepted = 0

  constructor(options: ListenersOptions) {
    this.#options = options
    this.#ticketKeys = Buffer.from(options.ticketKeys)
    const handshakes = this.#handshakes
    this.#onSecureSocketClosed = function onClosed() {
      handshakes.closed(this)
    }
    // A client may close its sending side and still wait for the answer; over TLS not before the handshake is done.
    this.#http = createServer({ noDelay: true, allowHalfOpen: true }, socket => this.#onSocket(socket))
    this.#https = createServer({ noDelay: true }, socket => this.#onSecureSocket(socket))
    this.#tls = this.#createTlsServer()
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
    return this.#handshakes.count
  }

  /** Ends the handshakes that have taken `ms` or more. */
  sweep(nowMs: number, ms: number): void {
    this.#handshakes.dropOverdue(nowMs, ms)
  }

  /** Stops accepting. What the kernel has queued and was not accepted is lost: wait for a quiet moment first. */
  close(): void {
    this.#http.close()
    this.#https.close()
  }

  /** From the next handshake on; what is open stays as it is. Throws when it cannot be loaded, and serves what it did. */
  serve({ certificate, parameters, sessionContext }: TlsServing): void {
    this.#tls.setSecureContext({
      ...contextOptions(parameters),
      ...(certificate === undefined ? {} : { cert: certificate.certificate, key: certificate.key }),
      ticketKeys: this.#ticketKeys,
      sessionIdContext: sessionContext,
      sessionTimeout: sessionSeconds,
    })
  }

  /** Tickets of the keys before lead to a full handshake. */
  useTicketKeys(keys: Uint8Array): void {
    this.#ticketKeys = Buffer.from(keys)
    this.#tls.setTicketKeys(this.#ticketKeys)
  }

  #onSocket(socket: Socket): void {
    this.#accepted++
    this.#options.onConnection(socket, false)
  }

  #onSecureSocket(socket: Socket): void {
    this.#accepted++
    // An error before the end of the handshake has no other listener.
    socket.on('error', ignore)
    socket.on('close', this.#onSecureSocketClosed)
    const { mayHandshake, nowMs } = this.#options
    if (!mayHandshake(this.#handshakes, socket) || !this.#handshakes.begin(socket, nowMs())) socket.destroy()
    else this.#tls.emit('connection', socket)
  }

  #createTlsServer(): TlsServer {
    const { onConnection, onHandshakeFailed, tls } = this.#options
    const server = createTlsServer({
      ...contextOptions(tls.parameters),
      ALPNProtocols: ['http/1.1'],
      SNICallback: this.#sniCallback(),
      ticketKeys: this.#ticketKeys,
      sessionIdContext: tls.sessionContext,
      sessionTimeout: sessionSeconds,
    })
    server.on('secureConnection', socket => {
      this.#handshakes.succeeded(socket)
      socket.allowHalfOpen = true
      onConnection(socket, true)
    })
    server.on('tlsClientError', (_error, socket) => {
      onHandshakeFailed()
      socket.destroy()
    })
    return server
  }

  /** Called as a method of the TLS socket. Whatever a client sends as its server name, it must not end the worker. */
  #sniCallback(): (
    this: unknown,
    serverName: string,
    done: (error: Error | null, context?: SecureContext) => void,
  ) => void {
    const { answerFor, onError } = this.#options
    return function choose(serverName, done) {
      try {
        const answer = answerFor(serverName)
        if (answer === undefined || (answer.asksForCertificate && !askForCertificate(this as TLSSocket)))
          done(new Error('no certificate for this server name'))
        else done(null, answer.context)
      } catch (error) {
        onError(error instanceof Error ? error : new Error('server name could not be judged'))
        done(new Error('no certificate for this server name'))
      }
    }
  }
}

/**
 * By its options node:tls asks either every client of a server for a certificate or none; a browser would be asked on
 * hosts that want none. The socket's handle can be told for one handshake, which no public method does. False, and no
 * handshake, where a Node has it no longer.
 */
function askForCertificate(socket: TLSSocket): boolean {
  const { _handle: handle } = socket as unknown as {
    readonly _handle?: { readonly setVerifyMode?: (request: boolean, reject: boolean) => void }
  }
  if (typeof handle?.setVerifyMode !== 'function') return false
  handle.setVerifyMode(true, false)
  return true
}

function ignore(): void {
  // The end of the connection follows.
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
