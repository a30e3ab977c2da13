import { execFileSync } from 'node:child_process'

/** Whether the program openssl is there to give a second opinion. */
export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export const now = new Date('2026-06-01T12:00:00Z')
export const dayMs = 24 * 3_600_000
