import type { FieldsV1, KubernetesObject } from '../api/kubernetes.ts'
import { findItem, isMap, type Json, ownedWithin } from './field-paths.ts'

/** One operation of a JSON patch (RFC 6902). */
export interface RemoveOperation {
  readonly op: 'remove'
  readonly path: string
}

interface Walk {
  readonly path: readonly (string | number)[]
  readonly found: Map<string, readonly (string | number)[]>
}

/**
 * Removes, from lists with keys that `desired` has too, the items that other managers put there.
 *
 * An edit by hand of the field that is an item's key (the number of a named port) makes another item of it, which a
 * server-side apply keeps beside the one that it restores; where something else must be unique, the two exclude each other.
 */
export function removalsOfForeignItems(
  desired: KubernetesObject,
  live: KubernetesObject,
  manager: string,
): RemoveOperation[] {
  const found: Walk['found'] = new Map()
  for (const entry of live.metadata.managedFields ?? []) {
    if (entry.manager === manager || !entry.fieldsV1) continue
    collect(entry.fieldsV1, [desired, live], { path: [], found })
  }
  // From the end of each list, so that no removal moves what a later one names.
  return [...found.values()].sort(byLastFirst).map(path => ({ op: 'remove', path: pointer(path) }))
}

function collect(fields: FieldsV1, [desired, live]: readonly [unknown, unknown], { path, found }: Walk): void {
  for (const step of ownedWithin(fields)) {
    const within = fields[step] ?? {}
    const name = step.slice(2)
    if (step.startsWith('f:') && isMap(desired) && isMap(live)) {
      collect(within, [desired[name], live[name]], { path: [...path, name], found })
    }
    if (!step.startsWith('k:') || !Array.isArray(desired) || !Array.isArray(live)) continue
    const selector = JSON.parse(name) as Json
    const item = findItem(live, selector)
    if (!item) continue
    const itemPath = [...path, live.indexOf(item)]
    const wanted = findItem(desired, selector, true)
    if (wanted) collect(within, [wanted, item], { path: itemPath, found })
    else found.set(pointer(itemPath), itemPath)
  }
}

function byLastFirst(one: readonly (string | number)[], other: readonly (string | number)[]): number {
  for (const [depth, step] of one.entries()) {
    const against = other[depth]
    if (typeof step === 'number' && typeof against === 'number' && step !== against) return against - step
  }
  return other.length - one.length
}

/** RFC 6901. */
function pointer(path: readonly (string | number)[]): string {
  return path.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
