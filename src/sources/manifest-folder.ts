import { type BigIntStats, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type DocumentCache, type FileProblem, type Manifest, parseManifests } from './parse-manifests.ts'

const extensions = ['.yaml', '.yml', '.json']
const maxDepth = 16
const maxFileBytes = 64 * 1_048_576

/** A file changed so lately may change again without a new time stamp: it is read again however it looks. */
const recentMs = 2_000

/** A file of the folder as it was last read. */
interface ManifestFile {
  /** Of the last reading without a problem. */
  manifests: readonly Manifest[]
  problems: readonly FileProblem[]
  ignored: readonly string[]
  cache: DocumentCache
  signature: string
  changedMs: number
}

export function isManifestFileName(name: string): boolean {
  return !name.startsWith('.') && extensions.some(extension => name.endsWith(extension))
}

/** The files of a folder and of the folders in it. A broken file keeps what it last held. */
export class ManifestFolder {
  readonly #root: string
  readonly #files = new Map<string, ManifestFile>()
  #folderProblems: readonly FileProblem[] = []

  constructor(root: string) {
    this.#root = root
  }

  /** Relative paths in the order that decides between two files with the same object. */
  files(): readonly { readonly path: string; readonly manifests: readonly Manifest[] }[] {
    return [...this.#files.entries()]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([path, { manifests }]) => ({ path, manifests }))
  }

  problems(): readonly FileProblem[] {
    return [...this.#folderProblems, ...[...this.#files.values()].flatMap(file => file.problems)]
  }

  /** Kinds that are not read, and in which file they are. */
  ignored(): readonly { readonly file: string; readonly kind: string }[] {
    return [...this.#files].flatMap(([file, { ignored }]) => ignored.map(kind => ({ file, kind })))
  }

  /**
   * Looks at every file; reads those that changed. Returns the folders there are, for who watches them.
   * Throws when the folder itself cannot be read.
   */
  scan(): readonly string[] {
    const folders: string[] = []
    const found = new Set<string>()
    this.#folderProblems = []
    this.#walk(this.#root, { folders, found, inside: new Set() })
    for (const path of this.#files.keys()) if (!found.has(path)) this.#files.delete(path)
    return folders
  }

  /**
   * Reads one file again that is said to have changed, whatever its time stamps are. An empty one is left as it was
   * unless `acceptEmpty`: somebody may have emptied it to write it anew, in two steps.
   */
  reread(file: string, acceptEmpty: boolean): 'read' | 'gone' | 'empty' | 'not a file' {
    const path = relative(this.#root, file)
    const stats = statOf(file)
    if (stats === undefined) return this.#files.delete(path) ? 'gone' : 'not a file'
    if (!stats.isFile()) return 'not a file'
    if (stats.size === 0n && !acceptEmpty) return 'empty'
    this.#read(file, stats)
    return 'read'
  }

  #walk(folder: string, walk: { folders: string[]; found: Set<string>; inside: Set<string> }): void {
    const own = statSync(folder, { bigint: true })
    const identity = `${own.dev}:${own.ino}`
    // A symbolic link may lead back up.
    if (walk.inside.has(identity) || walk.inside.size >= maxDepth) return
    walk.inside.add(identity)
    walk.folders.push(folder)
    for (const name of readdirSync(folder).sort()) {
      if (name.startsWith('.')) continue
      const file = join(folder, name)
      const stats = statOf(file)
      if (stats?.isDirectory()) this.#walkInside(file, walk)
      else if (stats?.isFile() && isManifestFileName(name)) {
        walk.found.add(relative(this.#root, file))
        if (this.#mayHaveChanged(file, stats)) this.#read(file, stats)
      }
    }
    walk.inside.delete(identity)
  }

  #walkInside(folder: string, walk: { folders: string[]; found: Set<string>; inside: Set<string> }): void {
    try {
      this.#walk(folder, walk)
    } catch (error) {
      const problem = { file: relative(this.#root, folder), line: 0, column: 0, message: unreadable(error) }
      this.#folderProblems = [...this.#folderProblems, problem]
      const inside = `${problem.file}/`
      for (const path of this.#files.keys()) if (path.startsWith(inside)) walk.found.add(path)
    }
  }

  #mayHaveChanged(file: string, stats: BigIntStats): boolean {
    const known = this.#files.get(relative(this.#root, file))
    return known === undefined || known.signature !== signatureOf(stats) || Date.now() - known.changedMs < recentMs
  }

  #read(file: string, stats: BigIntStats): void {
    const path = relative(this.#root, file)
    const known = this.#files.get(path)
    const times = { signature: signatureOf(stats), changedMs: Number(stats.ctimeMs) }
    const last = { manifests: known?.manifests ?? [], ignored: known?.ignored ?? [], cache: known?.cache ?? new Map() }
    const broken = (line: number, message: string): void => {
      this.#files.set(path, { ...last, ...times, problems: [{ file: path, line, column: line, message }] })
    }
    if (stats.size > BigInt(maxFileBytes)) return broken(0, `larger than ${maxFileBytes} bytes; split it`)
    let text: string
    try {
      text = readFileSync(file, 'utf8')
    } catch (error) {
      return broken(0, unreadable(error))
    }
    const { manifests, problems, ignored, cache } = parseManifests(text, last.cache)
    const located = problems.map(problem => ({ file: path, ...problem }))
    this.#files.set(path, {
      ...times,
      manifests: problems.length > 0 ? last.manifests : manifests,
      problems: located,
      ignored,
      cache,
    })
  }
}

function statOf(file: string): BigIntStats | undefined {
  try {
    return statSync(file, { bigint: true })
  } catch {
    // Gone since the folder was read, or a link that leads nowhere.
    return undefined
  }
}

function signatureOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`
}

function unreadable(error: unknown): string {
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`
}
