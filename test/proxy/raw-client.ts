import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls'
import { readFields, takeBody } from './raw-backend.ts'

export interface ReceivedResponse {
  readonly status: number
  readonly reason: string
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly body: string
}

/** A client on a real socket: sends bytes as they are, reads responses by rules of its own. */
export class RawClient {
  readonly socket: Socket
  /** Everything received and not yet taken as a response, latin-1. */
  unread = ''
  receivedBytes = 0
  /** Why the connection was cut, when it was. */
  error: Error | undefined
  ended = false
  closed = false
  #waiting: (() => void)[] = []

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', error => {
      this.error = error
    })
    socket.on('data', chunk => {
      this.receivedBytes += chunk.length
      // Enough for every response that a test looks at; of large bodies only the number of bytes counts.
      if (this.unread.length < 8_000_000) this.unread += (chunk as Buffer).toString('latin1')
      this.#wake()
    })
    socket.on('end', () => {
      this.ended = true
      this.#wake()
    })
    socket.on('close', () => {
      this.ended = true
      this.closed = true
      this.#wake()
    })
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new RawClient(socket)
  }

  static async connectTls(
    port: number,
    options: ConnectionOptions,
  ): Promise<RawClient & { readonly socket: TLSSocket }> {
    const socket = tlsConnect({
      host: '127.0.0.1',
      port,
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
      ...options,
    })
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve)
      socket.once('error', reject)
    })
    return new RawClient(socket) as RawClient & { readonly socket: TLSSocket }
  }

  send(text: string | Buffer): void {
    if (typeof text === 'string') this.socket.write(text, 'latin1')
    else this.socket.write(text)
  }

  /** `GET` with Host and a blank line. */
  get(host: string, target = '/', fields = ''): void {
    this.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`)
  }

  /** The next response; interim ones are responses of their own. Rejects when the connection ends before it is whole. */
  async response(method = 'GET'): Promise<ReceivedResponse> {
    while (true) {
      const taken = takeResponse(this.unread, method, this.ended)
      if (taken !== undefined) {
        this.unread = this.unread.slice(taken.length)
        return taken.response
      }
      if (this.ended)
        throw new Error(`connection ended before a whole response: ${JSON.stringify(this.unread.slice(0, 200))}`)
      await this.changed()
    }
  }

  /** Resolves when the text has arrived somewhere in what is unread. */
  async until(text: string): Promise<void> {
    while (!this.unread.includes(text)) {
      if (this.ended) throw new Error(`connection ended before ${JSON.stringify(text)} came`)
      await this.changed()
    }
  }

  /** Resolves when the other side has closed. */
  async untilClosed(): Promise<void> {
    while (!this.ended) await this.changed()
  }

  async changed(): Promise<void> {
    await new Promise<void>(resolve => {
      this.#waiting.push(resolve)
    })
  }

  destroy(): void {
    this.socket.destroy()
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

function takeResponse(
  text: string,
  method: string,
  ended: boolean,
): { readonly response: ReceivedResponse; readonly length: number } | undefined {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [line = '', ...fields] = text.slice(0, headEnd).split('\r\n')
  const matched = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(line)
  if (matched === null) throw new Error(`not a status line: ${line}`)
  const status = Number(matched[1])
  const headers = readFields(fields)
  const bodiless = method === 'HEAD' || status < 200 || status === 204 || status === 304
  const delimited = headers.has('content-length') || headers.has('transfer-encoding')
  let body: { readonly text: string; readonly end: number } | undefined = { text: '', end: headEnd + 4 }
  if (!bodiless) {
    if (delimited) body = takeBody(text, headEnd + 4, headers)
    else body = ended ? { text: text.slice(headEnd + 4), end: text.length } : undefined
  }
  if (body === undefined) return undefined
  return { response: { status, reason: matched[2] ?? '', headers, body: body.text }, length: body.end }
}
