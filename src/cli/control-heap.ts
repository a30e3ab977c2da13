import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * The heap of the control thread after the first table: what it took to list a cluster is several times what stays, and
 * V8 keeps the room for more of the same, which never comes.
 *
 * From now on its young generation does not grow again. That flag is of the whole process; data workers have theirs
 * from the start in the size that is best for them, see `WorkerSlot`.
 */
export function releaseLoadingMemory(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options: { type: 'major'; flavor: 'last-resort' }) => void
  setFlagsFromString('--no-expose-gc')
  collect({ type: 'major', flavor: 'last-resort' })
}
