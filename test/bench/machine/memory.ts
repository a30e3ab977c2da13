import { readFileSync } from 'node:fs'
import { processTree } from './process-tree.ts'

/** Resident memory of a process and its children, in bytes. */
export function residentBytes(pid: number): number {
  return processTree(pid).reduce((sum, one) => sum + residentOf(one), 0)
}

function residentOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
}
