import { readFileSync } from 'node:fs'

/** Which processor does what, by number. */
export interface Cores {
  readonly proxy: number
  readonly load: number
  readonly backend: number
  /** False with a single processor: then figures of throughput and latency say little, those of CPU time still do. */
  readonly apart: boolean
}

/** The proxy has the first processor that we may use, generator and backend the second. */
export function chooseCores(allowed: readonly number[] = allowedProcessors()): Cores {
  const [proxy = 0, load = proxy] = allowed
  return { proxy, load, backend: load, apart: load !== proxy }
}

function allowedProcessors(): readonly number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return processorsOf(list)
}

/** `0-2,5` as the kernel writes sets of processors. */
export function processorsOf(list: string): readonly number[] {
  return list.split(',').flatMap(range => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}
