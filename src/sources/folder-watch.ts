import { type FSWatcher, statSync, watch } from 'node:fs'
import { join } from 'node:path'

/** `path` is undefined when it is not known what changed; `replaced` is true where a name came, went or was renamed. */
export type FolderEvent = (path: string | undefined, replaced: boolean) => void

interface Watched {
  readonly watcher: FSWatcher
  /** Which folder the name stood for: after a swap of links the old one would go on being watched. */
  readonly identity: string
}

/**
 * Tells of changes in a set of folders, without the folders in them. Node's own recursive watch keeps one watch a file
 * on Linux and loses track of swapped links.
 */
export class FolderWatch {
  readonly #onEvent: FolderEvent
  readonly #watched = new Map<string, Watched>()

  constructor(onEvent: FolderEvent) {
    this.#onEvent = onEvent
  }

  /**
   * Watches exactly these folders from now on. True when one was not watched before: what changed in it until now was
   * not heard of. One that cannot be watched is left to the caller's own looking.
   */
  watchOnly(folders: readonly string[]): boolean {
    const wanted = new Set(folders)
    for (const folder of this.#watched.keys()) if (!wanted.has(folder)) this.#unwatch(folder)
    return [...wanted].filter(folder => this.#watch(folder)).length > 0
  }

  close(): void {
    for (const folder of this.#watched.keys()) this.#unwatch(folder)
  }

  #watch(folder: string): boolean {
    try {
      const stats = statSync(folder)
      const identity = `${stats.dev}:${stats.ino}`
      if (this.#watched.get(folder)?.identity === identity) return false
      this.#unwatch(folder)
      const watcher = watch(folder, (event, name) => {
        this.#onEvent(name === null ? undefined : join(folder, name), event === 'rename')
      })
      watcher.on('error', () => {
        this.#unwatch(folder)
        this.#onEvent(undefined, true)
      })
      this.#watched.set(folder, { watcher, identity })
      return true
    } catch {
      this.#unwatch(folder)
      return false
    }
  }

  #unwatch(folder: string): void {
    this.#watched.get(folder)?.watcher.close()
    this.#watched.delete(folder)
  }
}
