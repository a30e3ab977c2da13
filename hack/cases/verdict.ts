/** `allowed`: not our target, but another outcome that the case lists (`alt`). */
export interface Verdict {
  readonly status: 'passed' | 'allowed' | 'failed'
  /** A smuggled request, a crash or bytes that are no HTTP: nothing allows that. */
  readonly hard: boolean
  readonly reasons: readonly string[]
  /** What was seen, for people. */
  readonly came: string
}
