import { randomBytes } from 'node:crypto'
import { closeFrame, FrameTracker } from '../http1/websocket-frames.ts'

/**
 * A WebSocket that passes through. Its bytes are not touched; the boundaries of frames are followed in both
 * directions, so that both sides can be told that the proxy goes away.
 *
 * The end, when the worker stops: at a moment of its own, so that not all clients come back at once, each side gets a
 * Close frame with 1001 as soon as no frame is cut by it, and nothing more. Once both have answered, or soon after,
 * the connections are closed. A side that has said Close itself is told nothing.
 */
export class Tunnel {
  /** What the endpoint sends to the client, and what the client sends to the endpoint. */
  readonly down = new TunnelDirection()
  readonly up = new TunnelDirection()
  /** When the worker stops: when to say goodbye, and by when to be gone. */
  #closeAtMs = Number.POSITIVE_INFINITY
  #goneAtMs = Number.POSITIVE_INFINITY
  #closing = false

  /** Offset up to which the bytes are to be passed on. */
  pass(direction: TunnelDirection, bytes: Buffer, start: number, end: number): number {
    if (this.#closing) return direction.passToBoundary(bytes, start, end)
    direction.frames.follow(bytes, start, end)
    return end
  }

  /** The worker stops, and must have ended by `endsMs`. Called again and again. */
  drain(nowMs: number, spreadMs: number, endsMs: number): void {
    if (this.#closeAtMs === Number.POSITIVE_INFINITY) {
      const longestMs = Math.max(0, Math.min(spreadMs, endsMs - nowMs - goodbyeMs))
      this.#closeAtMs = nowMs + longestMs * (0.5 + Math.random() / 2)
    }
    if (this.#closing || nowMs < this.#closeAtMs) return
    this.#closing = true
    this.#goneAtMs = nowMs + goodbyeMs
  }

  /** The frame that the client is due now. */
  takeFrameDown(): Uint8Array | undefined {
    return this.#closing && this.down.takeTurn() ? closeFrame(goingAway) : undefined
  }

  /** The frame that the endpoint is due now: it expects frames of clients, which are masked. */
  takeFrameUp(): Uint8Array | undefined {
    return this.#closing && this.up.takeTurn() ? closeFrame(goingAway, randomBytes(4)) : undefined
  }

  /** Both sides are told and have answered, or have ended, or had their time. */
  isOver(nowMs: number): boolean {
    if (this.down.ended && this.up.ended) return true
    return this.#closing && ((this.down.isAnswered && this.up.isAnswered) || nowMs >= this.#goneAtMs)
  }
}

class TunnelDirection {
  readonly frames = new FrameTracker()
  /** Its sender has closed. */
  ended = false
  /** Nothing passes any more. */
  #stopped = false
  #mayTell = false
  #told = false

  passToBoundary(bytes: Buffer, start: number, end: number): number {
    const passed = this.#stopped ? start : this.frames.followToBoundary(bytes, start, end)
    this.#stopAtBoundary()
    this.frames.follow(bytes, passed, end)
    return passed
  }

  /** True once, when its receiver is to be told of the end. */
  takeTurn(): boolean {
    this.#stopAtBoundary()
    if (!this.#stopped || this.#told) return false
    this.#told = true
    return this.#mayTell
  }

  /** Its receiver was told, and its sender has said Close or has closed. */
  get isAnswered(): boolean {
    return this.#told && (this.frames.closeSeen || this.ended)
  }

  #stopAtBoundary(): void {
    if (this.#stopped || !this.frames.atBoundary) return
    this.#stopped = true
    // A Close that has passed needs no second one, and after the end nothing can be sent.
    this.#mayTell = !this.frames.closeSeen && !this.ended
  }
}

/** Status of a Close frame (RFC 6455 section 7.4.1): a server that goes down. */
const goingAway = 1001
/** How long the sides may take to answer. */
const goodbyeMs = 2_000
