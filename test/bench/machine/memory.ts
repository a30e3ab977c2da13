import { readFileSync } from 'node:fs'
import { processTree } from './process-tree.ts'

/** Resident memory of a process and its children, in bytes. */
export function residentBytes(pid: number): number {
  return processTree(pid).reduce((sum, one) => sum + (residentBytesOf(one) ?? 0), 0)
}

/** Of one process alone; undefined once it has ended and was not waited for. */
export function residentBytesOf(pid: number): number | undefined {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
}
