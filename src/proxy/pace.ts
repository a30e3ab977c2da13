/** What a client owes: at least this many bytes a second, after a grace. */
export interface PaceRule {
  readonly bytesPerSecond: number
  readonly graceMs: number
  /** What it sent too fast may make up for so much silence; never less than the grace. */
  readonly maxCreditMs: number
}

/**
 * Whether one message part comes fast enough, on average: every byte buys time at the rule's rate, and time runs out.
 * A burst makes up for a pause, but not for an endless one, and one byte now and then buys next to nothing.
 */
export class Pace {
  /** Which part it judges. */
  readonly part: number
  #bytes: number
  #nowMs: number
  #creditMs: number

  /** `bytes` and `nowMs` are counts that only grow; where they begin does not matter. */
  constructor(part: number, start: { readonly nowMs: number; readonly bytes: number; readonly graceMs: number }) {
    this.part = part
    this.#nowMs = start.nowMs
    this.#bytes = start.bytes
    this.#creditMs = start.graceMs
  }

  isTooSlow(nowMs: number, bytes: number, { bytesPerSecond, graceMs, maxCreditMs }: PaceRule): boolean {
    const creditMs = this.#creditMs + this.#earnedMs(bytes, bytesPerSecond) - (nowMs - this.#nowMs)
    this.#creditMs = Math.min(creditMs, Math.max(graceMs, maxCreditMs))
    this.#nowMs = nowMs
    this.#bytes = bytes
    return this.#creditMs <= 0
  }

  /** With these bytes it has sent less than it owed when it was judged last: it lives on its grace. */
  isBehind(bytes: number, { bytesPerSecond, graceMs }: PaceRule): boolean {
    return this.#creditMs + this.#earnedMs(bytes, bytesPerSecond) < graceMs
  }

  /** It is not its turn to send: this time does not count. */
  rest(nowMs: number): void {
    this.#nowMs = nowMs
  }

  #earnedMs(bytes: number, bytesPerSecond: number): number {
    return ((bytes - this.#bytes) * 1000) / bytesPerSecond
  }
}
