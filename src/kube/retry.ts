/** Trying again will not help until something changes: reported, not retried. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError'
}

/** Try again after a known time, rather than by the backoff. */
export class RetryAfter extends Error {
  override readonly name = 'RetryAfter'
  readonly delayMs: number

  constructor(delayMs: number, message: string) {
    super(message)
    this.delayMs = delayMs
  }
}
