import { connect, createServer, type Server, Socket } from 'node:net'
import { latin1 } from '../http1/octets.ts'
import type { ReadBuffers } from './read-buffers.ts'

/**
 * Two short cuts past Node's streams, for what a proxy does all day: bytes are read into one buffer that all sockets
 * of a thread share (as `onread` of `net.connect` documents, which has no counterpart for accepted sockets), and are
 * written to the handle of a socket without the queue of a stream before it.
 *
 * Both rest on what Node does not promise. So they are found by looking, tried once at start by a connection to
 * ourselves, and left alone by a Node that does otherwise: everything works without them, a little slower.
 */
export interface SocketInternals {
  /** Reads of this socket go to `onRead` from now on; what had been read before is in its stream. */
  readInto(socket: Socket, buffers: ReadBuffers, onRead: OnRead): void
  /** Where to write, or undefined when the socket is closed. */
  handleOf(socket: Socket): WriteHandle | undefined
}

/** Called with the socket as `this`; the octets are valid during the call only. */
type OnRead = (this: Socket, length: number, bytes: Buffer) => void

/**
 * What a write gives back: 0 when all was taken, a negative error, or a request that completes later. Until then what
 * it was given must not change.
 */
type Written = number | WriteRequest

/** `writeStatus` is set when it completed before anybody could listen. */
export interface WriteRequest {
  oncomplete: ((this: WriteRequest, status: number) => void) | undefined
  writeStatus: number | null
  /** Kept alive with the request. */
  buffer?: unknown
  /** What the writer wants to find again. */
  owner?: unknown
  octets?: number
}

export interface WriteHandle {
  writeLatin1String(request: null, text: string): Written
  writeBuffer(request: null, bytes: Buffer): Written
  writev(request: null, chunks: readonly (Buffer | string)[], allBuffers: boolean): Written
}

interface Handle extends WriteHandle {
  useUserBuffer(bytes: Buffer): void
}

interface Internals {
  _handle: Handle | null
  [key: symbol]: unknown
}

interface ReadKeys {
  readonly buffer: symbol
  readonly callback: symbol
  readonly generator: symbol
}

/** How long the trial may take; it takes a millisecond or two. */
const trialMs = 2_000
const trialText = 'a line that is long enough to be seen\r\n'

/** Undefined where this Node works otherwise. */
export async function probeSocketInternals(buffers: ReadBuffers): Promise<SocketInternals | undefined> {
  const keys = readKeys()
  if (keys === undefined || !writesWithoutRequest()) return undefined
  const internals = createInternals(keys)
  return (await passesTrial(internals, buffers)) ? internals : undefined
}

function createInternals(keys: ReadKeys): SocketInternals {
  return {
    readInto: (socket, buffers, onRead) => {
      const inside = socket as unknown as Internals
      inside[keys.buffer] = buffers.shared
      inside[keys.callback] = onRead
      inside[keys.generator] = buffers.takeNext
      inside._handle?.useUserBuffer(buffers.shared)
    },
    handleOf: socket => (socket as unknown as Internals)._handle ?? undefined,
  }
}

function readKeys(): ReadKeys | undefined {
  const symbols = Object.getOwnPropertySymbols(new Socket())
  const named = (description: string): symbol | undefined => symbols.find(symbol => symbol.description === description)
  const buffer = named('kBuffer')
  const callback = named('kBufferCb')
  const generator = named('kBufferGen')
  return buffer === undefined || callback === undefined || generator === undefined
    ? undefined
    : { buffer, callback, generator }
}

/** Before version 26 a write needed a request object that only Node can make, and ended the process without one. */
function writesWithoutRequest(): boolean {
  return Number.parseInt(process.versions.node, 10) >= 26
}

/** Reads and writes between two sockets of ours, one accepted and one connected. */
async function passesTrial(internals: SocketInternals, buffers: ReadBuffers): Promise<boolean> {
  const sockets: Socket[] = []
  const server = createServer()
  try {
    return await tryOut({ server, sockets, internals, buffers })
  } catch {
    return false
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

interface Trial {
  readonly server: Server
  readonly sockets: Socket[]
  readonly internals: SocketInternals
  readonly buffers: ReadBuffers
}

function tryOut({ server, sockets, internals, buffers }: Trial): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), trialMs)
  const settle = (passed: boolean): void => {
    clearTimeout(timer)
    resolve(passed)
  }
  const add = (socket: Socket): void => {
    sockets.push(socket)
    socket.on('error', () => settle(false))
  }
  server.on('error', () => settle(false))
  server.on('connection', socket => {
    add(socket)
    internals.readInto(socket, buffers, function (length, bytes) {
      const written = internals.handleOf(this)?.writeLatin1String(null, latin1(bytes, 0, length))
      if (bytes !== buffers.shared || written !== 0) settle(false)
    })
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    const client = connect({
      host: '127.0.0.1',
      port: address !== null && typeof address === 'object' ? address.port : 0,
    })
    add(client)
    internals.readInto(client, buffers, (length, bytes) => settle(latin1(bytes, 0, length) === trialText))
    client.once('connect', () => {
      if (internals.handleOf(client)?.writeBuffer(null, Buffer.from(trialText, 'latin1')) !== 0) settle(false)
    })
  })
  return promise
}
