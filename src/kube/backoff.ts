export interface BackoffOptions {
  readonly initialMs: number
  readonly maxMs: number
  /** A number from 0 to 1, as `Math.random`. */
  readonly random?: () => number
}

/** Delays that double up to a limit, each spread over its upper half so that many clients do not return together. */
export class Backoff {
  readonly #options: BackoffOptions
  #failures = 0

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  /** Milliseconds to wait after one more failure; `capMs` limits this one further. */
  next(capMs = Number.POSITIVE_INFINITY): number {
    const { initialMs, maxMs, random = Math.random } = this.#options
    const delayMs = Math.min(maxMs, capMs, initialMs * 2 ** this.#failures)
    // Beyond this the power only grows; the delay has long reached its limit.
    this.#failures = Math.min(this.#failures + 1, 50)
    return delayMs * (0.5 + random() / 2)
  }

  reset(): void {
    this.#failures = 0
  }
}
