import { statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { IngressDeployment } from '../api/ingressdeployment.ts'
import type { Change } from '../routing/snapshot.ts'
import { FolderWatch } from './folder-watch.ts'
import { isManifestFileName, ManifestFolder } from './manifest-folder.ts'
import { ManifestIndex } from './manifest-index.ts'
import type { ManifestObject } from './manifest-kinds.ts'
import type { FileProblem } from './parse-manifests.ts'
import type { Source } from './source.ts'

/** Waits for the rest of a file that is written in place, in pieces. */
const quietMs = 20

/** Some file systems (networks, mounts of virtual machines) tell of no change: looks anyway. */
const lookMs = 2_000

/** Looking takes at most this part of the time, however many files there are. */
const lookShare = 1 / 50

export interface FilesSourceOptions {
  readonly folder: string
  /** Called with all there are, as written, when one changed, and before the changes that came with it. */
  readonly onIngressDeployments: (deployments: readonly IngressDeployment[]) => void
  /** Called with all there are whenever they changed. */
  readonly onProblems: (problems: readonly FileProblem[]) => void
  /** Called once a file and kind that is not read. */
  readonly onIgnored?: (file: string, kind: string) => void
}

/**
 * The objects of a folder of YAML and JSON files, folders in it included, and what changes in them. Names that begin
 * with a dot are passed over, but for `..data`, which Kubernetes swaps in a mounted ConfigMap.
 */
export class FilesSource implements Source {
  readonly #options: FilesSourceOptions
  readonly #root: string
  readonly #folder: ManifestFolder
  readonly #index = new ManifestIndex()
  readonly #watch: FolderWatch
  #ignored: ReadonlySet<string> = new Set()
  readonly #deployments = new Map<string, IngressDeployment>()
  readonly #synced = Promise.withResolvers<void>()
  #onChanges: (changes: readonly Change[]) => void = () => {}
  #folders: ReadonlySet<string> = new Set()
  #shownProblems = ''
  #folderProblem: readonly FileProblem[] = []
  /** Renamed into place, so complete: read in the next turn of the loop. */
  readonly #replaced = new Set<string>()
  /** Written in place: read when it is quiet. */
  readonly #written = new Set<string>()
  #scanWanted = false
  #immediate: NodeJS.Immediate | undefined
  #quiet: NodeJS.Timeout | undefined
  #look: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: FilesSourceOptions) {
    this.#options = options
    this.#root = resolve(options.folder)
    this.#folder = new ManifestFolder(this.#root)
    this.#watch = new FolderWatch((path, replaced) => this.#onEvent(path, replaced))
  }

  /** Gives everything there is before it returns. When the folder cannot be read, `synced` says so. */
  start(onChanges: (changes: readonly Change[]) => void): void {
    this.#onChanges = onChanges
    try {
      if (!statSync(this.#root).isDirectory()) throw new Error('it is not a folder')
      this.#scan(true)
      this.#publish()
      this.#lookLater(0)
      this.#synced.resolve()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#synced.reject(new Error(`reading the folder ${this.#options.folder}: ${reason}`, { cause: error }))
    }
  }

  synced(): Promise<void> {
    return this.#synced.promise
  }

  stop(): Promise<void> {
    this.#stopped = true
    this.#watch.close()
    clearImmediate(this.#immediate)
    clearTimeout(this.#quiet)
    clearTimeout(this.#look)
    return Promise.resolve()
  }

  #onEvent(path: string | undefined, replaced: boolean): void {
    if (this.#stopped) return
    const name = path === undefined ? undefined : basename(path)
    if (path === undefined || name === '..data') this.#scanWanted = true
    else if (name !== undefined && isManifestFileName(name)) (replaced ? this.#replaced : this.#written).add(path)
    else if (replaced && (this.#folders.has(path) || isFolder(path))) this.#scanWanted = true
    else return
    if (this.#scanWanted || this.#replaced.size > 0) this.#immediate ??= setImmediate(() => this.#readReplaced())
    if (this.#written.size > 0) this.#readWrittenLater()
  }

  #readWrittenLater(): void {
    clearTimeout(this.#quiet)
    this.#quiet = setTimeout(() => this.#readWritten(), quietMs)
  }

  #readReplaced(): void {
    this.#immediate = undefined
    for (const path of this.#replaced) {
      const outcome = this.#folder.reread(path, false)
      if (outcome === 'empty') this.#written.add(path)
      if (outcome === 'not a file') this.#scanWanted = true
    }
    this.#replaced.clear()
    if (this.#written.size > 0) this.#readWrittenLater()
    if (this.#scanWanted) this.#scan(false)
    this.#publish()
  }

  #readWritten(): void {
    for (const path of this.#written) this.#folder.reread(path, true)
    this.#written.clear()
    this.#publish()
  }

  #lookLater(tookMs: number): void {
    const waitMs = Math.max(lookMs, tookMs / lookShare)
    this.#look = setTimeout(() => {
      const started = performance.now()
      this.#scan(false)
      this.#publish()
      this.#lookLater(performance.now() - started)
    }, waitMs).unref()
  }

  #scan(atStart: boolean): void {
    this.#scanWanted = false
    try {
      let folders = this.#folder.scan()
      // A file may have come between the look and the watch.
      while (this.#watch.watchOnly(folders)) folders = this.#folder.scan()
      this.#folders = new Set(folders)
      this.#folderProblem = []
    } catch (error) {
      if (atStart) throw error
      const message = `the folder cannot be read, what was read last is kept: ${String(error)}`
      this.#folderProblem = [{ file: this.#options.folder, line: 0, column: 0, message }]
    }
  }

  #publish(): void {
    const changes = this.#index.update(this.#folder.files())
    const problems = [...this.#folderProblem, ...this.#folder.problems(), ...changes.problems]
    const shown = JSON.stringify(problems)
    if (shown !== this.#shownProblems) {
      this.#shownProblems = shown
      this.#options.onProblems(problems)
    }
    this.#give([
      ...changes.removed.map(object => ({ object, gone: true })),
      ...changes.updated.map(object => ({ object, gone: false })),
    ])
    this.#tellIgnored()
  }

  #give(steps: readonly { readonly object: ManifestObject; readonly gone: boolean }[]): void {
    const changes: Change[] = []
    let deploymentsChanged = false
    for (const { object, gone } of steps) {
      const { namespace = '', name } = object.metadata
      if (object.kind === 'IngressDeployment') {
        deploymentsChanged = true
        if (gone) this.#deployments.delete(`${namespace}/${name}`)
        else this.#deployments.set(`${namespace}/${name}`, object)
      } else changes.push({ kind: object.kind, namespace, name, object: gone ? undefined : object })
    }
    if (deploymentsChanged) this.#options.onIngressDeployments([...this.#deployments.values()])
    if (changes.length > 0) this.#onChanges(changes)
  }

  #tellIgnored(): void {
    const ignored = this.#folder.ignored()
    for (const { file, kind } of ignored)
      if (!this.#ignored.has(`${file} ${kind}`)) this.#options.onIgnored?.(file, kind)
    this.#ignored = new Set(ignored.map(({ file, kind }) => `${file} ${kind}`))
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
