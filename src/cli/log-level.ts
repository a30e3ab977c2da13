import { type LogLevel, logLevels } from '../observe/log.ts'
import { CommandError } from './command-error.ts'
import type { Environment } from './environment.ts'

/** The level of LOG_LEVEL. */
export function logLevelOf({ logLevel }: Environment): LogLevel {
  const level = logLevels.find(one => one === logLevel)
  if (level === undefined) throw new CommandError(`LOG_LEVEL is ${logLevel}; it must be one of ${logLevels.join(', ')}`)
  return level
}
