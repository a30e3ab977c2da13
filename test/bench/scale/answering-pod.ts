import { createServer, type Socket } from 'node:net'

const headEnd = Buffer.from('\r\n\r\n')

/** Stands in for a pod: answers each request with its name, and remembers when the last one came. */
export class AnsweringPod {
  readonly name: string
  readonly #server
  readonly #sockets = new Set<Socket>()
  port = 0
  /** Nanoseconds of the monotonic clock. */
  lastRequestNs = 0n

  constructor(name: string) {
    this.name = name
    const answer = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`)
    this.#server = createServer({ noDelay: true }, socket => {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
      // The probes send one small request at a time: its head comes in one piece.
      socket.on('data', (chunk: Buffer) => {
        if (!chunk.includes(headEnd)) return
        this.lastRequestNs = process.hrtime.bigint()
        socket.write(answer)
      })
    })
  }

  async listen(address: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, address, resolve)
    })
    const bound = this.#server.address()
    this.port = typeof bound === 'object' && bound !== null ? bound.port : 0
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
