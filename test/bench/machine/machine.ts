import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import type { ContenderName } from '../contenders/contender.ts'

/** What figures depend on; nothing that tells one machine from its like. */
export interface Machine {
  readonly processors: number
  readonly model: string
  readonly memoryGiB: number
  readonly kernel: string
  readonly distribution: string
  /** By name: Node, the contenders and the generator. */
  readonly versions: Readonly<Record<string, string>>
}

export function describeMachine(versions: Readonly<Partial<Record<ContenderName | 'wrk', string>>>): Machine {
  const { ours: _ours, ...peers } = versions
  return {
    processors: availableParallelism(),
    model: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    distribution: /^PRETTY_NAME="(.*)"$/m.exec(textOf('/etc/os-release'))?.[1] ?? 'Linux',
    versions: { node: process.versions.node, ...peers },
  }
}

/** Time of all processors since the start, in ticks. */
export interface ProcessorTime {
  readonly total: number
  /** Taken by others on the same host while we wanted to run. */
  readonly stolen: number
}

export function readProcessorTime(text = textOf('/proc/stat')): ProcessorTime {
  const fields = (/^cpu +(.*)$/m.exec(text)?.[1] ?? '').split(' ').map(Number)
  // Guests are counted in user time already.
  return { total: fields.slice(0, 8).reduce((sum, value) => sum + value, 0), stolen: fields[7] ?? 0 }
}

export function stolenPercent(before: ProcessorTime, after: ProcessorTime): number {
  const total = after.total - before.total
  return total === 0 ? 0 : Math.round(((after.stolen - before.stolen) / total) * 1000) / 10
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
