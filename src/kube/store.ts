/** Called with the object before and after: `object` is absent when it went, `previous` when it is new. */
export type StoreListener<T> = (key: string, object: T | undefined, previous: T | undefined) => void

/** Gives the values under which an object is found. */
export type Indexer<T> = (object: T) => readonly string[]

export interface StoreOptions<T, I extends string> {
  readonly indexers?: Readonly<Record<I, Indexer<T>>>
  /** Told when a listener throws; the others are called all the same. */
  readonly onListenerError?: (error: unknown) => void
}

export interface StoredVersion<T> {
  readonly resourceVersion: string
  readonly object: T
}

/** The objects of one resource in memory, by `namespace/name` (`name` when cluster-scoped), as last heard from the server. */
export class Store<T, I extends string = never> {
  readonly #versions = new Map<string, StoredVersion<T>>()
  readonly #indexes = new Map<string, { readonly indexer: Indexer<T>; readonly keys: Map<string, Set<string>> }>()
  readonly #listeners = new Set<StoreListener<T>>()
  readonly #onListenerError: (error: unknown) => void

  constructor(options: StoreOptions<T, I> = {}) {
    for (const [name, indexer] of Object.entries<Indexer<T>>(options.indexers ?? {})) {
      this.#indexes.set(name, { indexer, keys: new Map() })
    }
    this.#onListenerError = options.onListenerError ?? (() => undefined)
  }

  get size(): number {
    return this.#versions.size
  }

  get(key: string): T | undefined {
    return this.#versions.get(key)?.object
  }

  has(key: string): boolean {
    return this.#versions.has(key)
  }

  resourceVersion(key: string): string | undefined {
    return this.#versions.get(key)?.resourceVersion
  }

  keys(): IterableIterator<string> {
    return this.#versions.keys()
  }

  *values(): Generator<T> {
    for (const { object } of this.#versions.values()) yield object
  }

  /** Objects that the indexer of this name files under `value`. */
  byIndex(name: I, value: string): readonly T[] {
    const found: T[] = []
    for (const key of this.#indexes.get(name)?.keys.get(value) ?? []) {
      const version = this.#versions.get(key)
      if (version) found.push(version.object)
    }
    return found
  }

  /** Every value under which the indexer of this name has an object. */
  indexValues(name: I): readonly string[] {
    return [...(this.#indexes.get(name)?.keys.keys() ?? [])]
  }

  /** Listeners hear only real changes: not a version that is already here. */
  subscribe(listener: StoreListener<T>): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  set(key: string, version: StoredVersion<T>): void {
    const previous = this.#versions.get(key)
    if (previous?.resourceVersion === version.resourceVersion) return
    if (previous) this.#unindex(key, previous.object)
    this.#versions.set(key, version)
    this.#index(key, version.object)
    this.#tell(key, version.object, previous?.object)
  }

  delete(key: string): void {
    const previous = this.#versions.get(key)
    if (!previous) return
    this.#versions.delete(key)
    this.#unindex(key, previous.object)
    this.#tell(key, undefined, previous.object)
  }

  /** Makes the store equal to a complete list: what is not in it goes. */
  replace(versions: ReadonlyMap<string, StoredVersion<T>>): void {
    for (const [key, version] of versions) this.set(key, version)
    for (const key of this.#versions.keys()) {
      if (!versions.has(key)) this.delete(key)
    }
  }

  clear(): void {
    this.replace(new Map())
  }

  #index(key: string, object: T): void {
    for (const { indexer, keys } of this.#indexes.values()) {
      for (const value of indexer(object)) {
        const filed = keys.get(value)
        if (filed) filed.add(key)
        else keys.set(value, new Set([key]))
      }
    }
  }

  #unindex(key: string, object: T): void {
    for (const { indexer, keys } of this.#indexes.values()) {
      for (const value of indexer(object)) {
        const filed = keys.get(value)
        filed?.delete(key)
        if (filed?.size === 0) keys.delete(value)
      }
    }
  }

  #tell(key: string, object: T | undefined, previous: T | undefined): void {
    for (const listener of this.#listeners) {
      try {
        listener(key, object, previous)
      } catch (error) {
        this.#onListenerError(error)
      }
    }
  }
}
