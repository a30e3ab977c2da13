import type { KubernetesObject } from '../api/kubernetes.ts'
import type { Log } from '../observe/log.ts'
import { ApiError, hasStatus, isExpired } from './api-error.ts'
import { Backoff } from './backoff.ts'
import type { KubeClient } from './client.ts'
import { type Clock, pause, systemClock } from './clock.ts'
import { MalformedProtobuf, ProtobufReader } from './protobuf-reader.ts'
import { apiVersionOf, objectKey, type Resource, resourcePath } from './resource.ts'
import type { Store, StoredVersion } from './store.ts'
import { IdleStream, MalformedStream, readWatchStream, type WatchEvent } from './watch-stream.ts'

export interface ReflectorTimings {
  /** A watch that brought no byte for so long is taken for dead; bookmarks come about once a minute. */
  readonly idleLimitMs: number
  /** The server is asked to end each watch after a time between these. */
  readonly watchSeconds: readonly [shortest: number, longest: number]
  readonly initialBackoffMs: number
  readonly maxBackoffMs: number
  /** Backoff while the answer is 403 or 404: the role binding or the CRD may come any moment. */
  readonly maxRefusedBackoffMs: number
}

export interface ReflectorOptions<T> {
  readonly client: KubeClient
  readonly resource: Resource
  // The indexes of the store are its reader's matter.
  readonly store: Pick<Store<T, string>, 'set' | 'delete' | 'replace'>
  /** What is kept of an object; undefined keeps nothing of it. The raw object is not retained. */
  readonly transform: (raw: KubernetesObject) => T | undefined
  /** Reads an object in the API server's own encoding, which lists are then asked for in; watches are JSON. */
  readonly decode?: ((item: ProtobufReader) => KubernetesObject) | undefined
  readonly log: Log
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** They are half of many objects, and only server-side apply needs them. */
  readonly keepManagedFields?: boolean
  /**
   * What a list brings is put into the store page by page, so that its reader has work while the next is on its way. What
   * is not in the list goes only when it is complete.
   */
  readonly storePages?: boolean
  readonly pageSize?: number
  readonly maxLineBytes?: number
  readonly clock?: Clock
  readonly random?: () => number
  readonly timings?: Partial<ReflectorTimings>
}

const defaultTimings: ReflectorTimings = {
  idleLimitMs: 90_000,
  watchSeconds: [300, 600],
  initialBackoffMs: 100,
  maxBackoffMs: 30_000,
  maxRefusedBackoffMs: 5000,
}

/** A watch that ends sooner and brought nothing is not reconnected at once. */
const shortestWatchMs = 1000

/** A watch that lasted so long, or brought an event, ends the doubling of delays. */
const soundWatchMs = 5000

/** Restarts of a paged list whose continue token expired, before everything is asked for in one page. */
const maxPagedLists = 2

/**
 * Keeps a store equal to what the API server has: lists once, then watches, and resumes where it was.
 *
 * Only a complete list replaces what the store holds, so no failure makes objects vanish. It never gives up.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export class Reflector<T> {
  readonly #options: ReflectorOptions<T>
  readonly #timings: ReflectorTimings
  readonly #clock: Clock
  readonly #backoff: Backoff
  readonly #stopped = new AbortController()
  readonly #synced = Promise.withResolvers<void>()
  #running: Promise<void> | undefined
  #resourceVersion: string | undefined
  #hasSynced = false
  #lastError: unknown
  #reported = ''
  /** What came in the other encoding could not be read: from then on it is JSON. */
  #jsonOnly = false

  constructor(options: ReflectorOptions<T>) {
    this.#options = options
    this.#timings = { ...defaultTimings, ...options.timings }
    this.#clock = options.clock ?? systemClock
    const { initialBackoffMs: initialMs, maxBackoffMs: maxMs } = this.#timings
    this.#backoff = new Backoff({ initialMs, maxMs, ...(options.random ? { random: options.random } : {}) })
    this.#synced.promise.catch(() => undefined)
  }

  /** The store held a complete list once. */
  get hasSynced(): boolean {
    return this.#hasSynced
  }

  /** Why the server can't be listened to now; undefined while it can. */
  get lastError(): unknown {
    return this.#lastError
  }

  /** Resolves when the first complete list is in the store; rejects when stopped before. */
  synced(): Promise<void> {
    return this.#synced.promise
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Ends everything; the store keeps what it has. */
  async stop(): Promise<void> {
    const error = new Error(`reflecting ${this.#options.resource.plural}: stopped`)
    this.#stopped.abort(error)
    this.#synced.reject(error)
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === undefined) await this.#list()
        const lastedMs = await this.#watch(this.#resourceVersion ?? '')
        if (lastedMs < shortestWatchMs) await pause(this.#clock, this.#backoff.next(), signal)
      } catch (error) {
        if (!signal.aborted) await pause(this.#clock, this.#delayAfter(error), signal)
      }
    }
  }

  #delayAfter(error: unknown): number {
    if (isExpired(error) || error instanceof MalformedStream) this.#resourceVersion = undefined
    const refused = hasStatus(error, 403) || hasStatus(error, 404)
    const backoffMs = this.#backoff.next(refused ? this.#timings.maxRefusedBackoffMs : undefined)
    const askedMs = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0
    const retryInMs = Math.max(backoffMs, Math.min(askedMs, this.#timings.maxBackoffMs))
    this.#lastError = error
    const text = error instanceof Error ? error.message : String(error)
    const level = this.#reported === text || error instanceof IdleStream || isExpired(error) ? 'debug' : 'warn'
    this.#options.log[level]({ ...this.#fields(), error: text, retryInMs }, 'watch broke, will resume')
    this.#reported = text
    return retryInMs
  }

  #recovered(): void {
    if (this.#lastError !== undefined) this.#options.log.debug(this.#fields(), 'watch resumed')
    this.#lastError = undefined
    this.#reported = ''
  }

  async #list(): Promise<void> {
    let listed: { readonly resourceVersion: string; readonly versions: Map<string, StoredVersion<T>> } | undefined
    for (let lists = 1; !listed; lists += 1) {
      try {
        listed = await this.#listAll(lists <= maxPagedLists ? (this.#options.pageSize ?? 500) : 0)
      } catch (error) {
        if (error instanceof MalformedProtobuf && !this.#jsonOnly) {
          this.#jsonOnly = true
          this.#options.log.warn({ ...this.#fields(), error: error.message }, 'list could not be read, asking for JSON')
        } else if (!isExpired(error) || lists > maxPagedLists) throw error
      }
    }
    this.#options.store.replace(listed.versions)
    this.#resourceVersion = listed.resourceVersion
    this.#recovered()
    if (this.#hasSynced) return
    this.#hasSynced = true
    this.#options.log.debug({ ...this.#fields(), objects: listed.versions.size }, 'listed')
    this.#synced.resolve()
  }

  /** All pages show the same moment, whose resource version is that of each. Each page is reduced before the next comes. */
  async #listAll(limit: number) {
    const versions = new Map<string, StoredVersion<T>>()
    let next: string | undefined
    for (;;) {
      const page = await this.#page(limit, next)
      for (const raw of page.items) {
        const object = this.#reduce(raw)
        if (object === undefined) continue
        const version = { resourceVersion: raw.metadata.resourceVersion ?? '', object }
        const key = objectKey(raw.metadata)
        versions.set(key, version)
        if (this.#options.storePages === true) this.#options.store.set(key, version)
      }
      next = page.metadata.continue
      if (!next) return { resourceVersion: page.metadata.resourceVersion, versions }
    }
  }

  async #page(limit: number, next: string | undefined) {
    const { client, resource, namespace, labelSelector, fieldSelector, decode } = this.#options
    const query = { namespace, labelSelector, fieldSelector, limit, continue: next }
    const options = { signal: this.#stopped.signal, attempts: 2 }
    const page =
      decode === undefined || this.#jsonOnly
        ? await client.list<KubernetesObject>(resource, query, options)
        : await client.listProtobuf<KubernetesObject>(resource, query, options)
    return { metadata: page.metadata, items: this.#itemsOf(page.items ?? []) }
  }

  /** One after the other, so that no page is there twice. Lists leave out on each item what all have in common. */
  *#itemsOf(items: readonly (KubernetesObject | ProtobufReader)[]): Generator<KubernetesObject> {
    const { resource, decode } = this.#options
    const common = { apiVersion: apiVersionOf(resource), kind: resource.kind }
    for (const item of items) {
      if (!(item instanceof ProtobufReader)) yield { ...item, ...common }
      else if (decode !== undefined) yield decode(item)
    }
  }

  /** Resolves when the server ended the watch in good order, with the milliseconds it lasted. */
  async #watch(resourceVersion: string): Promise<number> {
    const startedMs = this.#clock.monotonicMs()
    const lastedMs = () => this.#clock.monotonicMs() - startedMs
    try {
      await readWatchStream({
        open: signal => this.#open(resourceVersion, signal),
        onEvent: event => this.#receive(event),
        signal: this.#stopped.signal,
        idleLimitMs: this.#timings.idleLimitMs,
        maxLineBytes: this.#options.maxLineBytes ?? 16_777_216,
        clock: this.#clock,
      })
      return lastedMs()
    } finally {
      if (lastedMs() >= soundWatchMs) this.#backoff.reset()
    }
  }

  async #open(resourceVersion: string, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    const stream = await this.#options.client.stream(this.#watchRequest(resourceVersion, signal))
    this.#recovered()
    return stream
  }

  #watchRequest(resourceVersion: string, signal: AbortSignal) {
    const { resource, namespace, labelSelector, fieldSelector, random = Math.random } = this.#options
    const [shortest, longest] = this.#timings.watchSeconds
    return {
      method: 'GET' as const,
      path: resourcePath(resource, namespace === undefined ? {} : { namespace }),
      query: {
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion,
        labelSelector,
        fieldSelector,
        timeoutSeconds: Math.round(shortest + (longest - shortest) * random()),
      },
      signal,
      timeoutMs: Math.min(30_000, this.#timings.idleLimitMs),
      countedAs: `watch ${resource.plural}`,
    }
  }

  #receive(event: WatchEvent): void {
    if (event.type === 'ERROR') {
      const body = event.object
      throw new ApiError({ status: body.code ?? 500, body, request: `watch ${this.#options.resource.plural}` })
    }
    const { metadata } = event.object
    const resourceVersion = metadata.resourceVersion ?? ''
    const { store } = this.#options
    if (event.type !== 'BOOKMARK') {
      const key = objectKey(metadata)
      const object = event.type === 'DELETED' ? undefined : this.#reduce(event.object)
      if (object === undefined) store.delete(key)
      else store.set(key, { resourceVersion, object })
    }
    this.#resourceVersion = resourceVersion
    this.#backoff.reset()
  }

  #reduce(raw: KubernetesObject): T | undefined {
    const { transform, keepManagedFields, log } = this.#options
    try {
      return transform(keepManagedFields === true ? raw : withoutManagedFields(raw))
    } catch (error) {
      // One object that can't be read must not hide all others.
      const { namespace, name } = raw.metadata
      log.error(
        { ...this.#fields(), objectNamespace: namespace, objectName: name, error: String(error) },
        'object left out',
      )
      return undefined
    }
  }

  #fields() {
    const { resource, namespace } = this.#options
    return { resource: resource.plural, ...(namespace === undefined ? {} : { namespace }) }
  }
}

function withoutManagedFields(raw: KubernetesObject): KubernetesObject {
  const { managedFields: _, ...metadata } = raw.metadata
  return { ...raw, metadata }
}
