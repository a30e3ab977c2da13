/** Time, passed in so that tests own it. */
export interface Clock {
  /** Milliseconds since some moment; never jumps back. */
  readonly monotonicMs: () => number
  /** Milliseconds since 1970, for what is written into objects. */
  readonly wallMs: () => number
  /** Runs `callback` once after `delayMs`; the result cancels that. */
  readonly after: (delayMs: number, callback: () => void) => () => void
}

/** setTimeout runs longer delays at once. */
const longestDelayMs = 2 ** 31 - 1

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(delayMs, longestDelayMs))
    return () => clearTimeout(timer)
  },
}

/** Resolves after `delayMs`, or at once when `signal` is or becomes aborted; it never rejects. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) {
      resolve()
      return
    }
    const done = () => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(delayMs, done)
    signal.addEventListener('abort', done)
  })
}
