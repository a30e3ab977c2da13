import { connect, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { Histogram } from '../figures/histogram.ts'
import { readAnswer } from './answer.ts'

/**
 * Requests by a schedule, whatever becomes of them: request n is due n/rate after the start, and its latency is counted
 * from then, so that a proxy that stalls is charged with all that it delays.
 */

export interface OpenLoopOptions {
  readonly port: number
  readonly host: string
  /** Answers with the X-Bench-Id of the request first. */
  readonly path: string
  readonly requestsPerSecond: number
  readonly connections: number
  /** Not counted. */
  readonly warmupSeconds: number
  readonly seconds: number
  /** What is not answered so long after the last request was due, never will be. */
  readonly graceMs: number
}

export interface OpenLoopResult {
  /** Answered as they should be, of those that count. */
  readonly answered: number
  readonly failures: Readonly<Record<'status' | 'wrongAnswer' | 'reset' | 'unanswered' | 'unsent', number>>
  /** Microseconds from when a request was due to its last octet. */
  readonly latencyUs: Readonly<Record<'p50' | 'p90' | 'p99' | 'p999' | 'max', number>>
  /** 99 % of the requests were sent so long after they were due, in microseconds: what our own lateness adds at most. */
  readonly sendDelayP99Us: number
}

const idDigits = 12
/** Sockets wake the loop anyway; this is for when they are quiet. */
const tickMs = 0.25

/** Due requests that wait for a connection are not held anywhere: the next one to send is a number. */
export async function runOpenLoop(options: OpenLoopOptions): Promise<OpenLoopResult> {
  const loop = new OpenLoop(options)
  try {
    return await loop.run()
  } finally {
    await loop.close()
  }
}

class Connection {
  socket: Socket | undefined
  /** Number of the request that it waits for; -1 when it is idle. */
  request = -1
  /** Octets of an answer that is not complete. */
  partial: Buffer | undefined
}

class OpenLoop {
  readonly #options: OpenLoopOptions
  readonly #connections: Connection[] = []
  readonly #idle: Connection[] = []
  readonly #latency = new Histogram()
  readonly #sendDelay = new Histogram()
  readonly #failures = { status: 0, wrongAnswer: 0, reset: 0, unanswered: 0, unsent: 0 }
  readonly #buffer = Buffer.allocUnsafe(65_536)
  readonly #intervalMs: number
  readonly #warmups: number
  readonly #total: number
  readonly #head: string
  #ticker: Worker | undefined
  #startMs = 0
  #next = 0
  #finished = 0
  #answered = 0
  #closed = false
  #end: (() => void) | undefined

  constructor(options: OpenLoopOptions) {
    this.#options = options
    this.#intervalMs = 1000 / options.requestsPerSecond
    this.#warmups = Math.round(options.warmupSeconds * options.requestsPerSecond)
    this.#total = this.#warmups + Math.round(options.seconds * options.requestsPerSecond)
    this.#head = `GET ${options.path} HTTP/1.1\r\nHost: ${options.host}\r\nX-Bench-Id: `
  }

  async run(): Promise<OpenLoopResult> {
    for (let index = 0; index < this.#options.connections; index++) this.#connections.push(new Connection())
    await Promise.all(this.#connections.map(connection => this.#open(connection)))
    const ended = new Promise<void>(resolve => {
      this.#end = resolve
    })
    this.#startMs = performance.now()
    this.#ticker = new Worker(tickerSource, { eval: true, workerData: tickMs })
    this.#ticker.on('message', () => this.#pump())
    const timer = setTimeout(() => this.#end?.(), this.#total * this.#intervalMs + this.#options.graceMs)
    await ended
    clearTimeout(timer)
    return this.#result()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#ticker?.terminate()
    for (const { socket } of this.#connections) socket?.destroy()
  }

  async #open(connection: Connection): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const { port } = this.#options
      const onread = { buffer: this.#buffer, callback: (length: number) => this.#receive(connection, length) }
      const socket = connect({ host: '127.0.0.1', port, noDelay: true, onread })
      connection.socket = socket
      socket.once('connect', () => {
        this.#idle.push(connection)
        resolve()
      })
      socket.once('error', reject)
      socket.on('error', () => {})
      socket.once('close', () => this.#lost(connection, socket))
    })
  }

  /** Sends what is due while there are idle connections. */
  #pump(): void {
    const now = performance.now()
    while (this.#next < this.#total && this.#dueMs(this.#next) <= now) {
      const connection = this.#idle.pop()
      if (connection === undefined) return
      const request = this.#next++
      if (request >= this.#warmups) this.#sendDelay.record((now - this.#dueMs(request)) * 1000)
      connection.request = request
      connection.socket?.write(`${this.#head}${idOf(request)}\r\n\r\n`, 'latin1')
    }
  }

  #dueMs(request: number): number {
    return this.#startMs + request * this.#intervalMs
  }

  #receive(connection: Connection, length: number): boolean {
    const { partial, request } = connection
    const bytes = partial === undefined ? this.#buffer : Buffer.concat([partial, this.#buffer.subarray(0, length)])
    const total = partial === undefined ? length : bytes.length
    const answer = request < 0 ? { status: 0, bodyStart: 0, end: -1 } : readAnswer(bytes, total)
    if (answer === undefined) {
      connection.partial = Buffer.from(bytes.subarray(0, total))
      return true
    }
    connection.partial = undefined
    const isRight =
      answer.end === total && bytes.toString('latin1', answer.bodyStart, answer.bodyStart + idDigits) === idOf(request)
    this.#finish(request, answer.status === 200 ? (isRight ? undefined : 'wrongAnswer') : 'status')
    connection.request = -1
    // What comes after a wrong answer cannot be told apart any more.
    if (isRight) this.#idle.push(connection)
    else connection.socket?.destroy()
    this.#pump()
    return true
  }

  #lost(connection: Connection, socket: Socket): void {
    if (connection.socket !== socket) return
    if (connection.request >= 0) this.#finish(connection.request, 'reset')
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    connection.request = -1
    connection.partial = undefined
    if (!this.#closed) this.#open(connection).catch(() => {})
  }

  #finish(request: number, failure: 'status' | 'wrongAnswer' | 'reset' | undefined): void {
    if (failure !== undefined) this.#failures[failure]++
    else if (request >= this.#warmups) {
      this.#answered++
      this.#latency.record((performance.now() - this.#dueMs(request)) * 1000)
    }
    this.#finished++
    if (this.#finished === this.#total) this.#end?.()
  }

  /** What did not come took as long as was waited for it, at least: to leave it out would make a slow proxy fast. */
  #recordLost(): void {
    const now = performance.now()
    const record = (request: number): void => this.#latency.record((now - this.#dueMs(request)) * 1000)
    for (const { request } of this.#connections) if (request >= this.#warmups) record(request)
    for (let request = Math.max(this.#next, this.#warmups); request < this.#total; request++) record(request)
  }

  #result(): OpenLoopResult {
    this.#failures.unsent = this.#total - this.#next
    this.#failures.unanswered = this.#next - this.#finished
    this.#recordLost()
    const [p50 = 0, p90 = 0, p99 = 0, p999 = 0] = [50, 90, 99, 99.9].map(one => this.#latency.percentile(one))
    return {
      answered: this.#answered,
      failures: { ...this.#failures },
      latencyUs: { p50, p90, p99, p999, max: this.#latency.max },
      sendDelayP99Us: this.#sendDelay.percentile(99),
    }
  }
}

function idOf(request: number): string {
  return String(request).padStart(idDigits, '0')
}

/** A thread that sleeps for parts of a millisecond, which timers of Node cannot. */
const tickerSource = `
const { parentPort, workerData } = require('node:worker_threads')
const never = new Int32Array(new SharedArrayBuffer(4))
while (true) {
  Atomics.wait(never, 0, 0, workerData)
  parentPort.postMessage(0)
}
`
