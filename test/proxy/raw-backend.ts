import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'

/** A request as the backend received it, read by rules of its own: the parser under test is not asked. */
export interface RecordedRequest {
  readonly method: string
  readonly target: string
  /** Names in lower case; values in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly head: string
  /** Decoded. */
  readonly body: string
  /** The connection it came on, counted from 0. */
  readonly connection: number
}

export type Answer = (request: RecordedRequest, connection: BackendConnection) => void

export const ok = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`

/** A backend on a real socket: it records every byte and answers by script. */
export class RawBackend {
  readonly requests: RecordedRequest[] = []
  readonly connections: BackendConnection[] = []
  /** Called with each whole request; an echo of its target when not set. */
  answer: Answer = (request, connection) => connection.send(ok(`hello from ${request.target}`))
  /** Called with each connection, before anything is read. */
  accepted: (connection: BackendConnection) => void = () => {}
  /** Read requests and call `answer`; off, bytes are only recorded. */
  readsRequests = true
  readonly #server: Server
  port = 0

  constructor() {
    this.#server = createServer({ allowHalfOpen: true }, socket => {
      const connection = new BackendConnection(socket, this.connections.length, this)
      this.connections.push(connection)
      this.accepted(connection)
    })
  }

  async start(port = 0): Promise<this> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (address !== null && typeof address === 'object') this.port = address.port
    return this
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.socket.destroy()
    await new Promise<void>(resolve => {
      this.#server.close(() => resolve())
    })
  }
}

/** A port where nothing listens. */
export async function deadPort(): Promise<number> {
  const dead = await new RawBackend().start()
  await dead.close()
  return dead.port
}

export class BackendConnection {
  readonly socket: Socket
  readonly index: number
  /** Everything received, latin-1. */
  received = ''
  receivedBytes = 0
  readonly #backend: RawBackend
  #unread = ''
  readonly closed: Promise<void>
  isClosed = false

  constructor(socket: Socket, index: number, backend: RawBackend) {
    this.socket = socket
    this.index = index
    this.#backend = backend
    socket.setNoDelay(true)
    socket.on('error', () => {})
    this.closed = new Promise(resolve => {
      socket.on('end', () => {
        this.isClosed = true
        resolve()
      })
      socket.on('close', () => {
        this.isClosed = true
        resolve()
      })
    })
    socket.on('data', chunk => this.#onData(chunk as Buffer))
  }

  send(text: string | Buffer): void {
    if (typeof text === 'string') this.socket.write(text, 'latin1')
    else this.socket.write(text)
  }

  end(text = ''): void {
    this.socket.end(text, 'latin1')
  }

  reset(): void {
    this.socket.resetAndDestroy()
  }

  #onData(chunk: Buffer): void {
    this.receivedBytes += chunk.length
    if (this.received.length < 4_000_000) this.received += chunk.toString('latin1')
    if (!this.#backend.readsRequests) return
    this.#unread += chunk.toString('latin1')
    for (let taken = takeRequest(this.#unread); taken !== undefined; taken = takeRequest(this.#unread)) {
      this.#unread = this.#unread.slice(taken.length)
      const request = { ...taken.request, connection: this.index }
      this.#backend.requests.push(request)
      this.#backend.answer(request, this)
    }
  }
}

function takeRequest(
  text: string,
): { readonly request: Omit<RecordedRequest, 'connection'>; readonly length: number } | undefined {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = text.slice(0, headEnd)
  const [line = '', ...fields] = head.split('\r\n')
  const [method = '', target = ''] = line.split(' ')
  const headers = readFields(fields)
  const body = takeBody(text, headEnd + 4, headers)
  if (body === undefined) return undefined
  return { request: { method, target, headers, head, body: body.text }, length: body.end }
}

export function readFields(lines: readonly string[]): Map<string, string[]> {
  const headers = new Map<string, string[]>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()])
  }
  return headers
}

/** The body that begins at `start` by its framing fields; undefined when it is not whole. */
export function takeBody(
  text: string,
  start: number,
  headers: ReadonlyMap<string, readonly string[]>,
): { readonly text: string; readonly end: number } | undefined {
  if (headers.get('transfer-encoding')?.[0] === 'chunked') return takeChunks(text, start)
  const length = Number(headers.get('content-length')?.[0] ?? 0)
  if (text.length < start + length) return undefined
  return { text: text.slice(start, start + length), end: start + length }
}

function takeChunks(text: string, start: number): { readonly text: string; readonly end: number } | undefined {
  let at = start
  let body = ''
  while (true) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    at = lineEnd + 2
    if (text.length < at + size + 2) return undefined
    if (size === 0) return { text: body, end: at + 2 }
    body += text.slice(at, at + size)
    at += size + 2
  }
}
