import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Memory of the two kinds of threads, where V8's own ways cost much: its young generation grows to 64 MB with the first
 * table, and what it took to read that table is several times what stays. Neither is given back by itself.
 */

/**
 * Half of the young generation of a data worker, in MB, from its start on: what it makes for requests dies at once,
 * whatever the size.
 */
const workerSemiSpaceMb = 4

/** Limits for a data worker that starts now. */
export function workerHeapLimits(): { readonly maxYoungGenerationSizeMb: number } {
  // The flag is read when the heap of a new thread is made, whatever `keepYoungGenerationSmall` has said meanwhile.
  setFlagsFromString(`--min-semi-space-size=${workerSemiSpaceMb}`)
  return { maxYoungGenerationSizeMb: 3 * workerSemiSpaceMb }
}

type Collect = (options: { readonly type: 'major'; readonly flavor?: 'last-resort' }) => void

/** Collects the garbage of this thread and gives the room back to the system. Takes about a millisecond per MB that stays. */
export function releaseGarbage(): void {
  collector()?.({ type: 'major', flavor: 'last-resort' })
}

/**
 * The garbage collection of this thread; undefined where V8 has none to give. The flag is the only way to it without
 * one on the command line. It belongs to the process, so it is not taken back: another thread may be about to use it.
 */
export function collector(): Collect | undefined {
  setFlagsFromString('--expose-gc')
  return runInNewContext("typeof gc === 'function' ? gc : undefined") as Collect | undefined
}

/** No young generation of this process grows from now on. */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
