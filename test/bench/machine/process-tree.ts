import { readdirSync, readFileSync } from 'node:fs'

/** A process and all that it started, itself first; empty when it has ended. */
export function processTree(pid: number): readonly number[] {
  let tasks: readonly string[]
  try {
    tasks = hasEnded(pid) ? [] : readdirSync(`/proc/${pid}/task`)
  } catch {
    tasks = []
  }
  if (tasks.length === 0) return []
  return [pid, ...tasks.flatMap(task => childrenOf(pid, task)).flatMap(processTree)]
}

/** It may still have an entry, until its parent has asked how it ended. */
function hasEnded(pid: number): boolean {
  return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
}

function childrenOf(pid: number, task: string): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim()
    return text === '' ? [] : text.split(' ').map(Number)
  } catch {
    return []
  }
}
