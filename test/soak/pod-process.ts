import { createServer, type Server, type Socket } from 'node:net'
import { readFields, takeBody } from '../proxy/raw-backend.ts'
import {
  answerBody,
  frame,
  type PodOrder,
  type PodReply,
  parseTarget,
  type RequestKind,
  takeFrame,
} from './pod-protocol.ts'

/** A process with many pods, each a listener of its own, that does what PodOrders of its parent say. */

/** Received whole, by number of the request. */
let sightings = new Uint8Array(65_536)

function see(id: number): void {
  if (id >= sightings.length) {
    const larger = new Uint8Array(2 ** Math.ceil(Math.log2(id + 1)))
    larger.set(sightings)
    sightings = larger
  }
  sightings[id] = Math.min(255, (sightings[id] ?? 0) + 1)
}

class Pod {
  readonly name: string
  readonly connections = new Set<PodConnection>()
  readonly server: Server
  closing = false

  constructor(name: string) {
    this.name = name
    this.server = createServer({ noDelay: true, allowHalfOpen: true }, socket => {
      this.connections.add(new PodConnection(this, socket))
    })
  }

  async open(): Promise<number> {
    await new Promise<void>(resolve => {
      this.server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, resolve)
    })
    const address = this.server.address()
    return address !== null && typeof address === 'object' ? address.port : 0
  }

  close(): void {
    this.closing = true
    this.server.close()
    for (const connection of this.connections) if (connection.idle) connection.socket.end()
  }
}

class PodConnection {
  readonly socket: Socket
  readonly #pod: Pod
  #unread = ''
  #answering = false
  #tunnel = false
  #served = 0

  constructor(pod: Pod, socket: Socket) {
    this.#pod = pod
    this.socket = socket
    socket.setEncoding('latin1')
    socket.on('data', text => this.#onText(String(text)))
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('close', () => pod.connections.delete(this))
  }

  /** Between two requests. */
  get idle(): boolean {
    return this.#served > 0 && !this.#answering && !this.#tunnel && this.#unread === '' && !this.socket.writableEnded
  }

  #onText(text: string): void {
    this.#unread += text
    if (this.#tunnel) this.#echo()
    else this.#readRequest()
  }

  #readRequest(): void {
    if (this.#answering) return
    const headEnd = this.#unread.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const [line = '', ...fields] = this.#unread.slice(0, headEnd).split('\r\n')
    const headers = readFields(fields)
    const body = takeBody(this.#unread, headEnd + 4, headers)
    if (body === undefined) return
    this.#unread = this.#unread.slice(body.end)
    const [, target = ''] = line.split(' ')
    const asked = parseTarget(target)
    if (asked === undefined) {
      this.socket.end(`HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
      return
    }
    see(asked.id)
    this.#served++
    this.#answer({ ...asked, host: headers.get('host')?.[0] ?? '', body: body.text })
  }

  #answer(request: {
    readonly kind: RequestKind
    readonly id: number
    readonly host: string
    readonly body: string
  }): void {
    if (request.kind === 'websocket') {
      this.#tunnel = true
      this.socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Pod: ${this.#pod.name}\r\n\r\n`,
        'latin1',
      )
      return
    }
    const body = answerBody(this.#pod.name, request)
    const close = this.#pod.closing ? 'Connection: close\r\n' : ''
    if (request.kind !== 'chunked') {
      this.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${close}\r\n${body}`, 'latin1')
      this.#answered()
      return
    }
    this.#answering = true
    this.socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${close}\r\n`, 'latin1')
    this.#sendChunks(body, close !== '')
  }

  /** In pieces with pauses: other requests of the proxy come between. */
  #sendChunks(rest: string, close: boolean): void {
    const piece = rest.slice(0, 7_000)
    if (piece !== '') this.socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`, 'latin1')
    if (piece !== '') {
      setTimeout(() => this.#sendChunks(rest.slice(piece.length), close), 2)
      return
    }
    this.socket.write('0\r\n\r\n', 'latin1')
    this.#answering = false
    this.#answered(close)
  }

  #answered(close = this.#pod.closing): void {
    if (close || this.#pod.closing) this.socket.end()
    else if (this.#unread !== '') this.#readRequest()
  }

  #echo(): void {
    for (let taken = takeFrame(this.#unread); taken !== undefined; taken = takeFrame(this.#unread)) {
      this.#unread = this.#unread.slice(taken.length)
      const isClose = taken.opcode === 8
      this.socket.write(frame(isClose ? 8 : 1, taken.payload, false), 'latin1')
      if (isClose) this.socket.end()
    }
  }
}

const pods = new Map<string, Pod>()
let closer: NodeJS.Timeout | undefined
let closeDebt = 0

function closeKept(perSecond: number): void {
  clearInterval(closer)
  if (perSecond === 0) return
  const everyMs = 5
  closer = setInterval(() => {
    closeDebt += (perSecond * everyMs) / 1_000
    for (; closeDebt >= 1; closeDebt--) closeOne()
  }, everyMs)
}

/** One that waits for its next request: by an end, or as if the pod's machine had forgotten it. */
function closeOne(): void {
  const idle = [...pods.values()].flatMap(pod => [...pod.connections]).filter(connection => connection.idle)
  const one = idle[Math.floor(Math.random() * idle.length)]
  if (Math.random() < 0.5) one?.socket.end()
  else one?.socket.resetAndDestroy()
}

async function obey(order: PodOrder): Promise<PodReply> {
  const { number } = order
  switch (order.order) {
    case 'open': {
      const pod = new Pod(order.pod)
      pods.set(order.pod, pod)
      return { number, port: await pod.open() }
    }
    case 'close':
      pods.get(order.pod)?.close()
      pods.delete(order.pod)
      return { number }
    case 'close-kept':
      closeKept(order.perSecond)
      return { number }
    case 'sightings':
      return { number, sightings }
    default:
      throw new Error(`not an order: ${JSON.stringify(order)}`)
  }
}

process.on('message', (order: PodOrder) => {
  void obey(order).then(reply => process.send?.(reply))
})
process.on('disconnect', () => process.exit())
