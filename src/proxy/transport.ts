import type { Socket } from 'node:net'
import { getSystemErrorName } from 'node:util'
import { latin1 } from '../http1/octets.ts'
import { BulkBuffer, type ReadBuffers, sharedBytes } from './read-buffers.ts'
import type { SocketInternals, WriteHandle, WriteRequest } from './socket-internals.ts'
import { lostCodes } from './upstream-socket.ts'

/**
 * One TCP or TLS connection as bytes in and out, over Node's socket: see `socket-internals.ts` for what is gone
 * around, and `read-buffers.ts` for what is read into. Without those the socket's own stream does the same.
 *
 * A hot path: no object, closure or timer per read or write. Longer than most files, because both ways of writing are
 * read best side by side.
 */

/** What a connection's owner hears. After `transportClosed` it hears nothing more. */
export interface TransportOwner {
  /** Octets that came; valid during the call only, and the owner may overwrite them. */
  transportRead(bytes: Buffer, start: number, end: number): void
  transportConnected(): void
  /** All that was sent has left, after `send` said that it had not. */
  transportDrained(): void
  /** The peer will send no more. */
  transportEnded(): void
  /** Our own end has been sent, with all before it. */
  transportFinished(): void
  /** A write failed since the peer is gone. True to go on reading what it said before; what is sent now is lost. */
  transportWriteFailed(): boolean
  /** Broken or closed. `code` is that of the error, such as `ECONNRESET`; empty without one. */
  transportClosed(code: string): void
}

/** What the transports of one worker share. */
export interface TransportSupport {
  readonly buffers: ReadBuffers
  /** Found before the first connection, if at all. */
  internals: SocketInternals | undefined
}

/** Octets that wait to be sent before the owner is told to wait. */
const highWaterBytes = 65_536
/** Pieces up to this size are joined as text; larger ones are written from where they are. */
const joinedBytes = sharedBytes

const owner: unique symbol = Symbol('transport')

interface OwnedSocket extends Socket {
  [owner]?: Transport
}

export class Transport {
  readonly #socket: Socket
  readonly #user: TransportOwner
  readonly #support: TransportSupport
  readonly #secure: boolean
  /** Gathered while corked. */
  #text = ''
  #corked = false
  /** Given to the handle and not taken by the kernel yet. */
  #pending = 0
  /** TLS takes one write at a time: what waits for it. */
  #queue: (string | Buffer)[] | undefined
  #needsDrain = false
  #bulk: BulkBuffer | undefined
  #endsAfterQueue = false

  constructor(
    socket: Socket,
    options: { readonly user: TransportOwner; readonly support: TransportSupport; readonly secure: boolean },
  ) {
    this.#socket = socket
    this.#user = options.user
    this.#support = options.support
    this.#secure = options.secure
    const owned: OwnedSocket = socket
    owned[owner] = this
    socket.on('error', onError)
    socket.on('close', onClose)
    socket.on('connect', onConnect)
    socket.on('drain', onDrain)
    socket.on('end', onEnd)
    socket.on('finish', onFinish)
    this.#startReading()
  }

  /** Latin-1 text to send. False when no more should be sent before `transportDrained`. */
  send(text: string): boolean {
    if (!this.#corked) return this.#writeText(text)
    this.#text += text
    return this.#hasRoom()
  }

  /** Octets to send, which may be overwritten afterwards. False as for `send`. */
  sendBytes(bytes: Buffer, start: number, end: number): boolean {
    if (end - start > joinedBytes) return this.#writeLarge(bytes, start, end)
    return this.send(latin1(bytes, start, end))
  }

  /** Until `uncork`, what is sent is gathered to leave as one piece. */
  cork(): void {
    this.#corked = true
  }

  uncork(): void {
    this.#corked = false
    if (this.#text !== '') {
      const text = this.#text
      this.#text = ''
      this.#writeText(text)
    }
    // What was too much to gather may have left at once: no write is under way that would tell of it.
    if (!this.#needsDrain || this.#pending > 0 || this.#socket.writableNeedDrain) return
    this.#needsDrain = false
    this.#user.transportDrained()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Sends our end after all that was sent. */
  end(): void {
    this.uncork()
    if (this.#queue === undefined && !this.#socket.destroyed) this.#socket.end()
    else this.#endsAfterQueue = true
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** By a reset, so that the peer sees that something is missing. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  /** Nothing waits to be sent. */
  get flushed(): boolean {
    return this.#pending === 0 && this.#text === '' && this.#socket.writableLength === 0
  }

  /** Node has read more than it has told of: its streams, where they are used, go on reading during a pause. */
  get hasUnread(): boolean {
    return this.#socket.readableLength > 0
  }

  /** Octets of the TCP connection so far. */
  get bytesRead(): number {
    return this.#socket.bytesRead
  }

  /** Our own end has been sent. */
  get finished(): boolean {
    return this.#socket.writableFinished
  }

  // Reading

  #startReading(): void {
    const { internals, buffers } = this.#support
    const socket = this.#socket
    if (internals === undefined) {
      socket.on('data', onData)
      return
    }
    internals.readInto(socket, buffers, onRead)
    // In this order: what came before us is told of before what comes after it, its end included.
    if (socket.readableLength > 0) process.nextTick(() => this.#readEarly())
    socket.resume()
  }

  #readEarly(): void {
    const early = this.#socket.read() as Buffer | null
    if (early !== null) this.#user.transportRead(early, 0, early.length)
  }

  /** Called by Node with what was read into the shared or the borrowed buffer. */
  onRead(length: number, bytes: Buffer): void {
    const bulk = this.#bulk
    if (bulk === undefined) {
      this.#user.transportRead(bytes, 0, length)
      if (length === sharedBytes && !this.#secure) this.#borrow()
      return
    }
    const { buffers } = this.#support
    buffers.current = bulk
    this.#user.transportRead(bytes, 0, length)
    buffers.current = undefined
    // Done with large reads, or what was read is still being written: another buffer next time.
    if (length >= sharedBytes && bulk.writes === 0) return
    this.#readShared()
    if (length >= sharedBytes) this.#borrow()
  }

  #borrow(): void {
    if (this.#socket.destroyed) return
    const { buffers } = this.#support
    this.#bulk = buffers.borrow()
    if (this.#bulk !== undefined) buffers.setNext(this.#bulk.bytes)
  }

  #readShared(): void {
    const { buffers } = this.#support
    this.#giveBack()
    buffers.setNext(buffers.shared)
  }

  #giveBack(): void {
    const bulk = this.#bulk
    if (bulk === undefined) return
    this.#bulk = undefined
    bulk.reading = false
    this.#support.buffers.giveBack(bulk)
  }

  // Writing

  #handle(): WriteHandle | undefined {
    return this.#support.internals?.handleOf(this.#socket)
  }

  #writeText(text: string): boolean {
    if (this.#support.internals === undefined) return this.#socket.write(text, 'latin1')
    if (this.#queue !== undefined || (this.#secure && this.#pending > 0)) return this.#enqueue(text)
    const handle = this.#handle()
    if (handle === undefined) return true
    const written = handle.writeLatin1String(null, text)
    return written === 0 ? this.#hasRoom() : this.#afterWrite(written, text.length, undefined)
  }

  /** With what was gathered before it, in one piece. */
  #writeLarge(bytes: Buffer, start: number, end: number): boolean {
    const head = this.#text
    this.#text = ''
    const { current } = this.#support.buffers
    // A bulk buffer is lent to the write; whatever else belongs to its reader, so it is copied.
    const bulk = current?.bytes === bytes ? current : undefined
    const view = bytes.subarray(start, end)
    if (this.#support.internals === undefined) {
      if (head !== '') this.#socket.write(head, 'latin1')
      return this.#socket.write(view)
    }
    if (this.#queue !== undefined || (this.#secure && this.#pending > 0)) {
      if (head !== '') this.#enqueue(head)
      return this.#enqueue(Buffer.from(view))
    }
    const handle = this.#handle()
    if (handle === undefined) return true
    const chunk = bulk === undefined && !this.#secure ? Buffer.from(view) : view
    const written =
      head === '' ? handle.writeBuffer(null, chunk) : handle.writev(null, [head, 'latin1', chunk, 'buffer'], false)
    return written === 0 ? this.#hasRoom() : this.#afterWrite(written, head.length + chunk.length, bulk ?? chunk)
  }

  /** A write that did not end at once: it failed, or completes later. */
  #afterWrite(written: number | WriteRequest, octets: number, held: BulkBuffer | Buffer | undefined): boolean {
    if (typeof written === 'number') {
      this.#broke(written)
      return true
    }
    if (typeof written.writeStatus === 'number') {
      if (written.writeStatus < 0) this.#broke(written.writeStatus)
      return this.#hasRoom()
    }
    this.#pending += octets
    written.owner = this
    written.octets = octets
    written.buffer = held
    written.oncomplete = onWritten
    if (held instanceof BulkBuffer) held.writes++
    return this.#hasRoom()
  }

  onWritten(status: number, octets: number, held: unknown): void {
    this.#pending -= octets
    if (held instanceof BulkBuffer) {
      held.writes--
      this.#support.buffers.giveBack(held)
    }
    if (status < 0) return this.#broke(status)
    if (this.#queue !== undefined) this.#writeQueue()
    if (this.#pending === 0 && this.#needsDrain) {
      this.#needsDrain = false
      this.#user.transportDrained()
    }
  }

  #enqueue(piece: string | Buffer): boolean {
    this.#queue ??= []
    this.#queue.push(piece)
    this.#pending += piece.length
    return this.#hasRoom()
  }

  #writeQueue(): void {
    const queue = this.#queue ?? []
    this.#queue = undefined
    const handle = this.#handle()
    if (handle === undefined) return
    const chunks: (string | Buffer)[] = []
    let octets = 0
    for (const piece of queue) {
      chunks.push(piece, typeof piece === 'string' ? 'latin1' : 'buffer')
      octets += piece.length
    }
    this.#pending -= octets
    const written = handle.writev(null, chunks, false)
    if (written !== 0) this.#afterWrite(written, octets, undefined)
    if (this.#endsAfterQueue) this.#socket.end()
  }

  #hasRoom(): boolean {
    const room = this.#pending + this.#text.length < highWaterBytes
    if (!room) this.#needsDrain = true
    return room
  }

  #broke(status: number): void {
    if (this.#socket.destroyed) return
    const code = getSystemErrorName(status)
    if (lostCodes.has(code) && this.#user.transportWriteFailed()) return
    this.#socket.destroy(Object.assign(new Error(`write ${code}`), { code }))
  }

  // Events of the socket

  onClosed(code: string): void {
    this.#giveBack()
    this.#queue = undefined
    this.#user.transportClosed(code)
  }

  /** For what it says of itself: address, session, certificate. */
  get socket(): Socket {
    return this.#socket
  }

  get user(): TransportOwner {
    return this.#user
  }
}

function onRead(this: OwnedSocket, length: number, bytes: Buffer): void {
  this[owner]?.onRead(length, bytes)
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[owner]?.user.transportRead(chunk, 0, chunk.length)
}

function onConnect(this: OwnedSocket): void {
  this[owner]?.user.transportConnected()
}

function onDrain(this: OwnedSocket): void {
  this[owner]?.user.transportDrained()
}

function onEnd(this: OwnedSocket): void {
  this[owner]?.user.transportEnded()
}

function onFinish(this: OwnedSocket): void {
  this[owner]?.user.transportFinished()
}

function onError(this: OwnedSocket, error: NodeJS.ErrnoException): void {
  this[owner]?.onClosed(error.code ?? error.message)
}

function onClose(this: OwnedSocket): void {
  this[owner]?.onClosed('')
}

function onWritten(this: WriteRequest, status: number): void {
  const transport = this.owner
  if (transport instanceof Transport) transport.onWritten(status, this.octets ?? 0, this.buffer)
}
