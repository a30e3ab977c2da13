import { Agent } from 'undici'
import type { TlsMaterial } from './credentials.ts'

/**
 * The keep-alive connections to one API server that all requests share.
 *
 * HTTP/1.1: each watch has a connection of its own, so one that stalls holds up nothing else.
 */
export class Connections {
  readonly #onCloseError: (error: unknown) => void
  #current: { readonly agent: Agent; readonly key: string } | undefined

  constructor(onCloseError: (error: unknown) => void) {
    this.#onCloseError = onCloseError
  }

  /** The connections for this TLS material; new ones when the CA or the client certificate has changed. */
  agent(tls: TlsMaterial): Agent {
    const key = JSON.stringify(tls)
    if (this.#current?.key === key) return this.#current.agent
    // Requests under way end on the old connections.
    this.#current?.agent.close().catch(this.#onCloseError)
    const agent = newAgent(tls)
    this.#current = { agent, key }
    return agent
  }

  async destroy(): Promise<void> {
    await this.#current?.agent.destroy()
  }
}

function newAgent(tls: TlsMaterial): Agent {
  return new Agent({
    allowH2: false,
    // Under the 90 s after which the server closes idle connections, so that none is used just then.
    keepAliveTimeout: 60_000,
    keepAliveMaxTimeout: 60_000,
    connect: {
      timeout: 10_000,
      rejectUnauthorized: tls.insecure !== true,
      ...(tls.caPem === undefined ? {} : { ca: tls.caPem }),
      ...(tls.certificatePem === undefined ? {} : { cert: tls.certificatePem }),
      ...(tls.privateKeyPem === undefined ? {} : { key: tls.privateKeyPem }),
      ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    },
  })
}
