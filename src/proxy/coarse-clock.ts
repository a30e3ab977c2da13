/** How often timeouts are looked at; a timeout may come up to two ticks late, never early. */
export const tickMs = 100

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Where time comes from: monotonic milliseconds, and the wall clock in milliseconds since 1970. */
export interface TimeSource {
  monotonicMs(): number
  wallMs(): number
}

/**
 * One clock for every timeout of a worker, and the texts of the present second, so that no request asks for a timer
 * or formats a date.
 */
export class CoarseClock {
  /** Monotonic milliseconds at the last tick. */
  nowMs = 0
  /** IMF-fixdate of RFC 9110 section 5.6.7. */
  httpDate = ''
  /** As in `23/Nov/2026:08:15:00 +0000`. */
  logTime = ''
  /** As in `2026-11-23T08:15:00+00:00`. */
  isoTime = ''
  readonly #time: TimeSource
  #second = -1

  constructor(time: TimeSource = systemTime) {
    this.#time = time
    this.tick()
  }

  tick(): void {
    this.nowMs = this.#time.monotonicMs()
    const wallMs = this.#time.wallMs()
    const second = Math.floor(wallMs / 1000)
    if (second === this.#second) return
    this.#second = second
    const date = new Date(wallMs)
    this.httpDate = date.toUTCString()
    const time = date.toISOString().slice(11, 19)
    const day = String(date.getUTCDate()).padStart(2, '0')
    this.logTime = `${day}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}:${time} +0000`
    this.isoTime = `${date.toISOString().slice(0, 19)}+00:00`
  }

  /** When something that may take `ms` is too late. */
  deadline(ms: number): number {
    return this.nowMs + ms + tickMs
  }
}

const systemTime: TimeSource = { monotonicMs: () => performance.now(), wallMs: () => Date.now() }
