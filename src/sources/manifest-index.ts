import { isDeepStrictEqual } from 'node:util'
import type { ManifestObject } from './manifest-kinds.ts'
import type { FileProblem, Manifest } from './parse-manifests.ts'

/** A step from one state of the objects to the next. */
export interface ManifestChanges {
  readonly updated: readonly ManifestObject[]
  readonly removed: readonly ManifestObject[]
  /** Objects that are in more than one place. */
  readonly problems: readonly FileProblem[]
}

interface Entry {
  /** As read, to see at once that nothing changed. */
  readonly source: ManifestObject
  /** As given on: with a time of creation. */
  readonly object: ManifestObject
  readonly order: number
}

interface Place {
  readonly file: string
  readonly line: number
}

/**
 * Which objects there are. An object without a time of creation gets one that orders it as a cluster would have, had
 * the files been applied in order of name: those there at the start by file and position, later ones after them.
 */
export class ManifestIndex {
  #entries: ReadonlyMap<string, Entry> = new Map()
  #created = 0

  /** Takes the present content of all files, in order; of two places with one object the first counts. */
  update(files: readonly { readonly path: string; readonly manifests: readonly Manifest[] }[]): ManifestChanges {
    const entries = new Map<string, Entry>()
    const places = new Map<string, Place>()
    const updated: ManifestObject[] = []
    const problems: FileProblem[] = []
    for (const { path, manifests } of files) {
      for (const { object, line } of manifests) {
        const key = keyOf(object)
        const first = places.get(key)
        if (first !== undefined) {
          problems.push(duplicate(key, first, { file: path, line }))
          continue
        }
        places.set(key, { file: path, line })
        const before = this.#entries.get(key)
        const entry = this.#next(object, before)
        entries.set(key, entry)
        if (entry.object !== before?.object) updated.push(entry.object)
      }
    }
    const removed = [...this.#entries].filter(([key]) => !entries.has(key)).map(([, entry]) => entry.object)
    this.#entries = entries
    return { updated, removed, problems }
  }

  #next(source: ManifestObject, before: Entry | undefined): Entry {
    if (before?.source === source) return before
    if (before !== undefined && isDeepStrictEqual(before.source, source)) return { ...before, source }
    const order = before?.order ?? ++this.#created
    return { source, object: withCreation(source, order), order }
  }
}

function withCreation(object: ManifestObject, order: number): ManifestObject {
  if (object.metadata.creationTimestamp !== undefined) return object
  const creationTimestamp = new Date(order * 1000).toISOString().replace('.000Z', 'Z')
  return { ...object, metadata: { ...object.metadata, creationTimestamp } }
}

function keyOf({ kind, metadata }: ManifestObject): string {
  return metadata.namespace === undefined
    ? `${kind} ${metadata.name}`
    : `${kind} ${metadata.namespace}/${metadata.name}`
}

function duplicate(key: string, first: Place, again: Place): FileProblem {
  const message = `${key} is in ${first.file}:${first.line} already, which is the one used; remove one of them`
  return { file: again.file, line: again.line, column: 1, message }
}
