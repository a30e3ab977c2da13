const firstDelayMs = 100
const maxDelayMs = 10_000
/** A worker that served so long has shown that it can: its loss is a first one again. */
const stableMs = 30_000

/** Time until a lost worker is replaced: none the first time, then doubling. */
export class RestartBackoff {
  #losses = 0

  /** Milliseconds to wait; `servedMs` is how long the lost worker had listened, 0 when it ended before. */
  lost(servedMs: number): number {
    if (servedMs > stableMs) this.#losses = 0
    const delayMs = this.#losses === 0 ? 0 : Math.min(maxDelayMs, firstDelayMs * 2 ** (this.#losses - 1))
    this.#losses++
    return delayMs
  }
}
