import { readdirSync, readFileSync } from 'node:fs'

/** A process and all that it started, itself first; empty when it has ended. */
export function processTree(pid: number): readonly number[] {
  let tasks: readonly string[]
  try {
    tasks = readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
  return [pid, ...tasks.flatMap(task => childrenOf(pid, task)).flatMap(processTree)]
}

function childrenOf(pid: number, task: string): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim()
    return text === '' ? [] : text.split(' ').map(Number)
  } catch {
    return []
  }
}
