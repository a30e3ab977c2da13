/** Ends a command with exit code 1 and its message, without a stack: the person can mend the cause. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** What a caught value says of itself. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
