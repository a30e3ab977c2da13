import type { DestinationStream } from 'pino'
import { destination, pino } from 'pino'

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** One line: the variables as fields first, then the message, which is a constant. */
interface LogMethod {
  (message: string): void
  (fields: Readonly<Record<string, unknown>>, message: string): void
}

/** What every room takes; pino's logger is one. */
export interface Log {
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  child(fields: Readonly<Record<string, unknown>>): Log
}

export interface LogOptions {
  readonly level: LogLevel
  /** Where lines go; stderr when absent. */
  readonly destination?: DestinationStream
}

/** Lines that wait for a reader of stderr that does not read; beyond it they are dropped, so that traffic never waits. */
const maxBufferedBytes = 1_048_576

/** Field names whose values never reach a log, wherever a caller put them: keys of certificates, tokens, passwords. */
const redactedPaths = ['key', '*.key', 'token', '*.token', 'password', '*.password', 'authorization', '*.authorization']

/** JSON lines on stderr: `level` as a word, `time` in RFC 3339, `msg`, and the fields. */
export function createLog(options: LogOptions): Log {
  const stream = options.destination ?? destination({ fd: 2, sync: false, maxLength: maxBufferedBytes })
  return pino(
    {
      level: options.level,
      base: null,
      redact: { paths: redactedPaths, censor: '[redacted]' },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
    },
    stream,
  )
}
