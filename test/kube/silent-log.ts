import type { Log } from '../../src/observe/log.ts'

/** A log that keeps its messages, for tests that look at them or need none. */
export function silentLog(messages: string[] = []): Log {
  const write = (fields: string | Readonly<Record<string, unknown>>, message = '') => {
    messages.push(typeof fields === 'string' ? fields : message)
  }
  const log: Log = { debug: write, info: write, warn: write, error: write, child: () => log }
  return log
}
