import type { KubernetesObject } from '../api/kubernetes.ts'
import type { StatusBody } from './api-error.ts'
import type { Clock } from './clock.ts'
import { LineSplitter } from './line-splitter.ts'

/** One line of a watch; https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: KubernetesObject }
  | { readonly type: 'ERROR'; readonly object: StatusBody }

export interface WatchStreamOptions {
  readonly open: (signal: AbortSignal) => Promise<AsyncIterable<Buffer>>
  readonly onEvent: (event: WatchEvent) => void
  readonly signal: AbortSignal
  /** Silence after which the stream is taken for dead. */
  readonly idleLimitMs: number
  readonly maxLineBytes: number
  readonly clock: Clock
}

/** What came is not a watch stream: something of it may be lost, so only a new list helps. */
export class MalformedStream extends Error {
  override readonly name = 'MalformedStream'
}

/** Nothing came for the idle limit, not even a bookmark. */
export class IdleStream extends Error {
  override readonly name = 'IdleStream'
}

/** Reads one watch to its end in good order. Throws what `onEvent` throws, and when the stream breaks, stalls or is no watch. */
export async function readWatchStream(options: WatchStreamOptions): Promise<void> {
  const { clock, idleLimitMs, onEvent } = options
  const ended = new AbortController()
  const idle = new IdleLimit(clock, idleLimitMs, () => {
    ended.abort(new IdleStream(`reading a watch: silent for the limit of ${idleLimitMs} ms`))
  })
  const events: WatchEvent[] = []
  const lines = new LineSplitter(line => events.push(parseEvent(line)), options.maxLineBytes)
  try {
    const stream = await options.open(AbortSignal.any([options.signal, ended.signal]))
    for await (const chunk of stream) {
      idle.reset()
      const broken = push(lines, chunk)
      for (const event of events.splice(0)) onEvent(event)
      if (broken) throw broken
    }
    if (lines.pendingBytes > 0) throw new Error('reading a watch: it ended in the middle of an event')
  } catch (error) {
    throw ended.signal.aborted ? ended.signal.reason : error
  } finally {
    idle.cancel()
    ended.abort()
  }
}

function push(lines: LineSplitter, chunk: Buffer): MalformedStream | undefined {
  try {
    lines.push(chunk)
    return undefined
  } catch (cause) {
    return new MalformedStream(`reading a watch: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

function parseEvent(line: Buffer): WatchEvent {
  const event = JSON.parse(line.toString()) as Partial<WatchEvent>
  if (event.type === undefined || event.object === undefined) throw new Error('a line is not a watch event')
  return event as WatchEvent
}

/** A timer that is put off without being made anew for every chunk. */
class IdleLimit {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #onIdle: () => void
  #lastMs: number
  #cancel: () => void

  constructor(clock: Clock, limitMs: number, onIdle: () => void) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#onIdle = onIdle
    this.#lastMs = clock.monotonicMs()
    this.#cancel = this.#arm(limitMs)
  }

  reset(): void {
    this.#lastMs = this.#clock.monotonicMs()
  }

  cancel(): void {
    this.#cancel()
  }

  #arm(delayMs: number): () => void {
    return this.#clock.after(delayMs, () => {
      const leftMs = this.#lastMs + this.#limitMs - this.#clock.monotonicMs()
      if (leftMs <= 0) this.#onIdle()
      else this.#cancel = this.#arm(leftMs)
    })
  }
}
