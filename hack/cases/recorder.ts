import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Message, readRequest, valuesOf } from './message.ts'
import type { Step } from './respond-script.ts'
import { Waiters } from './waiters.ts'

export type BackendName = 'recorder' | 'other'

export interface RecordedRequest {
  readonly message: Message
  readonly backend: BackendName
  readonly connection: number
}

/** What a responder is asked about: the request that stands first on a connection, as far as it has arrived. */
interface Arrival {
  readonly message: Message
  readonly connection: RecorderConnection
  /** How many requests came on this connection before it. */
  readonly earlier: number
}

/** Decides what is sent; `undefined` waits for more of the request. */
export type Responder = (arrival: Arrival) => readonly Step[] | undefined

/** Field by which an answer of the recorder is told from one that the proxy made itself. */
export const recorderField = 'x-recorder'

/** Body of a plain answer, by which a client sees that an answer is its own. */
export function recordedBody(target: string): string {
  return `recorded ${target.slice(0, 40)}`
}

const closeGraceMs = 1500

/** One connection of the proxy to the recorder, with every byte that came. */
export class RecorderConnection {
  readonly id: number
  readonly backend: BackendName
  readonly socket: Socket
  readonly requests: Message[] = []
  /** Why the bytes are no HTTP; what follows is not read. */
  fault: string | undefined
  open = true
  /** Bytes of a request that has not arrived whole. */
  pending: Buffer = Buffer.alloc(0)
  #answered = false
  readonly #received: Buffer[] = []

  constructor(id: number, backend: BackendName, socket: Socket) {
    this.id = id
    this.backend = backend
    this.socket = socket
  }

  get octets(): Buffer {
    return Buffer.concat(this.#received)
  }

  /** Reads what arrived; every request that can be answered now is answered. */
  receive(data: Buffer, respond: Responder, record: (message: Message) => void): void {
    this.#received.push(data)
    this.pending = this.pending.length === 0 ? data : Buffer.concat([this.pending, data])
    while (this.pending.length > 0 && this.fault === undefined) {
      const reading = readRequest(this.pending)
      if (reading.kind === 'faulty') {
        this.fault = reading.reason
        this.socket.destroy()
        return
      }
      if (reading.kind === 'no-head') return
      const { message, octets } = reading
      this.#answer(message, respond)
      if (!message.complete) return
      this.pending = this.pending.subarray(octets)
      this.requests.push(message)
      this.#answered = false
      record(message)
    }
  }

  perform(steps: readonly Step[]): void {
    for (const step of steps) {
      if ('send' in step) this.socket.write(step.send)
      else if (step.act === 'reset') this.socket.resetAndDestroy()
      else if (step.act !== 'stall') this.socket.end()
    }
  }

  #answer(message: Message, respond: Responder): void {
    if (this.#answered) return
    const steps = respond({ message, connection: this, earlier: this.requests.length })
    if (steps === undefined) return
    // An interim answer leaves the final one to be sent.
    this.#answered = message.complete || !isInterim(steps)
    this.perform(steps)
  }
}

/**
 * The upstreams of the cases: a raw TCP server that keeps every byte, reads requests with a strict reader of its own and
 * answers them. It listens twice, for the backend of a.test and for that of all other hosts.
 */
export class Recorder {
  readonly requests: RecordedRequest[] = []
  connections: RecorderConnection[] = []
  respond: Responder = plainAnswer
  readonly #servers = new Map<BackendName, Server>()
  readonly #ports = new Map<BackendName, number>()
  readonly #waiters = new Waiters()
  #lastId = 0

  async start(): Promise<void> {
    for (const backend of ['recorder', 'other'] as const) await this.#listen(backend)
  }

  port(backend: BackendName): number {
    const port = this.#ports.get(backend)
    if (port === undefined) throw new Error(`the ${backend} backend is not started`)
    return port
  }

  /** Forgets everything, after the proxy has noticed that every connection of before is closed. */
  async reset(): Promise<void> {
    this.respond = plainAnswer
    for (const { socket } of this.connections) socket.end()
    const allClosed = await this.until(() => this.connections.every(one => !one.open), closeGraceMs)
    if (!allClosed) {
      for (const { socket } of this.connections) socket.destroy()
      await delay(50)
    }
    this.connections = []
    this.requests.length = 0
  }

  /** True as soon as the condition holds, false when the time is over before. */
  async until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    return this.#waiters.until(condition, timeoutMs)
  }

  /** Stops listening for a.test, so that a connection is refused, until `accept`. */
  async refuse(): Promise<void> {
    await this.#stop('recorder')
  }

  async accept(): Promise<void> {
    if (!this.#servers.has('recorder')) await this.#listen('recorder')
  }

  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy()
    for (const backend of this.#servers.keys()) await this.#stop(backend)
  }

  async #listen(backend: BackendName): Promise<void> {
    const server = createServer({ noDelay: true }, socket => this.#connected(backend, socket))
    server.listen(this.#ports.get(backend) ?? 0, '127.0.0.1')
    await once(server, 'listening')
    this.#ports.set(backend, (server.address() as AddressInfo).port)
    this.#servers.set(backend, server)
  }

  async #stop(backend: BackendName): Promise<void> {
    const server = this.#servers.get(backend)
    if (server === undefined) return
    this.#servers.delete(backend)
    const closed = once(server, 'close')
    server.close()
    for (const one of this.connections) if (one.backend === backend) one.socket.destroy()
    await closed
  }

  #connected(backend: BackendName, socket: Socket): void {
    this.#lastId += 1
    const connection = new RecorderConnection(this.#lastId, backend, socket)
    this.connections.push(connection)
    const record = (message: Message): void => {
      // What a connection of an earlier case still sends is no business of this one.
      if (this.connections.includes(connection)) this.requests.push({ message, backend, connection: connection.id })
    }
    socket.on('data', (data: Buffer) => {
      connection.receive(data, this.respond, record)
      this.#waiters.changed()
    })
    // A reset is an ordinary end here; `close` follows.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      connection.open = false
      this.#waiters.changed()
    })
  }
}

/** 200 with a small body and the recorder's field; before it 100 to a request that waits for it. */
export const plainAnswer: Responder = ({ message, connection, earlier }) => {
  if (message.complete) {
    const [method, target] = message.startLine
    const body = method === 'HEAD' ? '' : recordedBody(target)
    const length = method === 'HEAD' ? 8 : body.length
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\nX-Recorder: ${connection.id}.${earlier}\r\n\r\n`
    return [{ send: Buffer.from(head + body, 'latin1') }]
  }
  const waits = valuesOf(message, 'expect').some(value => value.toLowerCase() === '100-continue')
  return waits && message.body.length === 0 ? [{ send: Buffer.from('HTTP/1.1 100 Continue\r\n\r\n') }] : undefined
}

function isInterim(steps: readonly Step[]): boolean {
  return steps.every(step => 'send' in step && step.send.toString('latin1', 0, 10) === 'HTTP/1.1 1')
}
