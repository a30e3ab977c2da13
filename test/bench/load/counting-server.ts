import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** Cuts the connection instead of an answer. */
export const cut = Symbol('cut')

/** How request n, from 1 on, is answered, by its X-Bench-Id; undefined leaves it without. */
export type Reply = (id: string, count: number) => string | typeof cut | undefined

export function reply(id: string): string {
  const body = `${id} and more\n`
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

/** Counts requests as they arrive, one at a time on a connection. */
export class CountingServer implements AsyncDisposable {
  requests = 0
  readonly #reply: Reply
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(how: Reply) {
    this.#reply = how
    this.#server = createServer({ noDelay: true }, socket => this.#serve(socket))
  }

  static async start(how: Reply = reply): Promise<CountingServer> {
    const server = new CountingServer(how)
    await new Promise<void>(resolve => {
      server.#server.listen(0, '127.0.0.1', resolve)
    })
    return server
  }

  get openConnections(): number {
    return this.#sockets.size
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>(resolve => {
      this.#server.close(() => resolve())
    })
  }

  #serve(socket: Socket): void {
    let head = ''
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => {})
    socket.setEncoding('latin1').on('data', (text: string) => {
      head += text
      if (!head.endsWith('\r\n\r\n')) return
      const id = /X-Bench-Id: (\d+)/.exec(head)?.[1] ?? ''
      head = ''
      this.requests++
      const answer = this.#reply(id, this.requests)
      if (answer === cut) socket.destroy()
      else if (answer !== undefined) socket.write(answer)
    })
  }
}
