import { LoadConnection, type Member } from './load-connection.ts'

const maxKept = 64
/** Well under the proxy's own patience, so that it is the client who closes. */
const maxIdleMs = 20_000

/**
 * The client's connections, as a load balancer gives them out: new ones go in turn to the members there are, and those
 * that are open stay with their instance until one side closes, even when it is no member any more.
 */
export class LoadConnections {
  /** Instances that get new connections. */
  members: readonly Member[] = []
  /** Common names that a handshake may show now. */
  certificateNames: readonly string[] = []
  opened = 0
  handshakes = 0
  resumed = 0
  /** By server name; the empty one is for connections without TLS. */
  readonly #kept = new Map<string, LoadConnection[]>()
  readonly #sessions = new Map<string, Buffer>()
  #turn = 0

  /** `chance` from 0 to 1 chooses among the kept ones, so that some are used often and some stay idle for long. */
  takeKept(serverName: string | undefined, chance: number): LoadConnection | undefined {
    const kept = this.#kept.get(serverName ?? '') ?? []
    const [taken] = kept.splice(Math.floor(chance * kept.length), 1)
    return taken
  }

  /** A new one; `onOpen` is called before it is connected. */
  async open(
    serverName: string | undefined,
    options: { readonly resume: boolean; readonly onOpen: (connection: LoadConnection) => void },
  ): Promise<LoadConnection> {
    const member = this.members[this.#turn++ % this.members.length]
    if (member === undefined) throw new Error('no instance takes connections')
    const sessionKey = `${member.name} ${serverName}`
    const allowedBefore = this.certificateNames
    const session = options.resume ? this.#sessions.get(sessionKey) : undefined
    const connection = new LoadConnection(member, serverName, session)
    this.opened++
    options.onOpen(connection)
    connection.secureSocket?.on('session', (ticket: Buffer) => this.#sessions.set(sessionKey, ticket))
    await connection.ready()
    this.#checkCertificate(connection, allowedBefore)
    return connection
  }

  keep(connection: LoadConnection): void {
    const key = connection.serverName ?? ''
    const kept = this.#kept.get(key) ?? []
    this.#kept.set(key, kept)
    if (!connection.usable || kept.length >= maxKept) {
      connection.client.destroy()
      return
    }
    connection.idleSinceMs = performance.now()
    kept.push(connection)
    if (connection.requests > 1) return
    connection.client.socket.once('end', () => this.#drop(connection))
    connection.client.socket.once('close', () => this.#drop(connection))
  }

  closeOld(): void {
    const before = performance.now() - maxIdleMs
    for (const kept of this.#kept.values()) {
      for (const connection of kept.filter(({ idleSinceMs }) => idleSinceMs < before)) this.#drop(connection)
    }
  }

  closeAll(): void {
    for (const kept of this.#kept.values()) for (const { client } of kept.splice(0)) client.destroy()
  }

  #drop(connection: LoadConnection): void {
    const kept = this.#kept.get(connection.serverName ?? '') ?? []
    const index = kept.indexOf(connection)
    if (index < 0) return
    kept.splice(index, 1)
    connection.client.destroy()
  }

  #checkCertificate({ secureSocket }: LoadConnection, allowedBefore: readonly string[]): void {
    if (secureSocket === undefined) return
    this.handshakes++
    if (secureSocket.isSessionReused()) {
      this.resumed++
      return
    }
    const name = String(secureSocket.getPeerCertificate().subject?.CN)
    if ([...allowedBefore, ...this.certificateNames].includes(name)) return
    throw new Error(`handshake showed the certificate of ${name}`)
  }
}
