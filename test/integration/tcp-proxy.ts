import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

interface Pair {
  readonly client: Socket
  readonly server: Socket
}

/** A TCP proxy that fails on demand, between a client and a server that work. */
export class TcpProxy {
  readonly #server: Server
  readonly #target: URL
  readonly #pairs = new Set<Pair>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #refusing = false
  #frozen = false
  #accepted = 0
  /** Each chunk from the server comes so much later. */
  delayMs = 0
  /** Chunks from the server are cut into pieces of at most so many bytes, each waiting for `delayMs`. */
  maxChunkBytes = Number.POSITIVE_INFINITY

  private constructor(target: URL) {
    this.#target = target
    this.#server = createServer({ pauseOnConnect: true }, client => this.#accept(client))
  }

  /** Listens on a loopback port for connections to the host and port of `target`. */
  static async start(target: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(target))
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** The target's URL by way of the proxy. */
  get url(): string {
    const url = new URL(this.#target)
    url.hostname = '127.0.0.1'
    url.port = String((this.#server.address() as AddressInfo).port)
    return url.href
  }

  /** Connections taken so far. */
  get accepted(): number {
    return this.#accepted
  }

  /** Breaks all connections at once with a reset. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy()
      server.destroy()
    }
  }

  /** From now on the connections that exist carry nothing, but stay open, as when a router forgets them. New ones work. */
  stall(): void {
    for (const { client, server } of this.#pairs) {
      for (const socket of [client, server]) {
        socket.removeAllListeners('data')
        socket.pause()
      }
    }
  }

  /** From now on no connection carries anything, new ones neither, but all stay open. */
  freeze(): void {
    this.#frozen = true
    this.stall()
  }

  /** New connections work again. */
  thaw(): void {
    this.#frozen = false
  }

  /** Resets every connection, the present and those to come, until `admit`. */
  refuse(): void {
    this.#refusing = true
    this.cut()
  }

  admit(): void {
    this.#refusing = false
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    this.cut()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  #accept(client: Socket): void {
    if (this.#refusing) {
      client.resetAndDestroy()
      return
    }
    this.#accepted += 1
    const server = connect(Number(this.#target.port || 443), this.#target.hostname)
    const pair = { client, server }
    this.#pairs.add(pair)
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#pairs.delete(pair)
        other.destroy()
      })
    }
    if (this.#frozen) return
    client.on('data', (chunk: Buffer) => server.write(chunk))
    server.on('data', (chunk: Buffer) => this.#forwardSlowly(chunk, pair))
    client.resume()
  }

  #forwardSlowly(chunk: Buffer, { client, server }: Pair): void {
    if (this.delayMs === 0) {
      client.write(chunk)
      return
    }
    // One chunk at a time: what comes meanwhile waits in the socket.
    server.pause()
    const size = Math.min(chunk.length, this.maxChunkBytes)
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      client.write(chunk.subarray(0, size))
      if (size < chunk.length) this.#forwardSlowly(chunk.subarray(size), { client, server })
      else server.resume()
    }, this.delayMs)
    this.#timers.add(timer)
  }
}
