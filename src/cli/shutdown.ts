import { constants } from 'node:os'
import type { Log } from '../observe/log.ts'

const signals = ['SIGTERM', 'SIGINT'] as const

/**
 * Resolves with the first SIGTERM or SIGINT, or when the parent that keeps a channel to this process is gone. From
 * then on another signal ends the process at once.
 */
export async function shutdownAsked(log: Log): Promise<void> {
  await new Promise<void>(resolve => {
    const begin = (cause: string): void => {
      log.info({ cause }, 'shutdown begins')
      resolve()
    }
    for (const signal of signals) {
      process.once(signal, () => {
        for (const again of signals) {
          process.removeAllListeners(again)
          process.once(again, () => process.exit(128 + constants.signals[again]))
        }
        begin(signal)
      })
    }
    if (process.channel !== undefined) process.once('disconnect', () => begin('parent is gone'))
  })
}
