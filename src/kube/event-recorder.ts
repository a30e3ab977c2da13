import { randomBytes } from 'node:crypto'
import type { KubernetesObject } from '../api/kubernetes.ts'
import { fieldManager } from '../api/names.ts'
import type { ObjectReference } from '../api/problem.ts'
import type { Log } from '../observe/log.ts'
import { isNotFound } from './api-error.ts'
import type { KubeClient } from './client.ts'
import { type Clock, systemClock } from './clock.ts'
import { resources } from './resource.ts'

export interface EventRequest {
  /** With its uid, or `kubectl describe` will not show the event. */
  readonly object: ObjectReference
  readonly type: 'Normal' | 'Warning'
  /** CamelCase and stable. */
  readonly reason: string
  readonly message: string
}

export interface EventRecorderOptions {
  readonly client: KubeClient
  readonly log: Log
  /** Name of the pod that reports. */
  readonly instance: string
  readonly clock?: Clock
  /** How long the same event is counted up instead of written anew. */
  readonly aggregationMs?: number
  /** Events kept in mind, waiting ones included. */
  readonly maxRemembered?: number
  /** Per object: so many at once, and one more each `refillMs`. */
  readonly burst?: number
  readonly refillMs?: number
}

/** An event with its count; `written` names the object that holds it. */
interface Remembered {
  readonly request: EventRequest
  readonly firstMs: number
  lastMs: number
  count: number
  written: string | undefined
  waiting: boolean
}

interface Bucket {
  tokens: number
  atMs: number
}

/** Limits of the API server on an Event. */
const maxMessageLength = 1024
const maxReasonLength = 128
const maxNameLength = 253

/**
 * Writes Events that `kubectl describe` shows (core/v1), in the background: it never throws and never waits.
 *
 * The same object, reason and message within ten minutes is one Event with a count. Objects that cause many get few.
 * https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
 */
export class EventRecorder {
  readonly #options: Required<EventRecorderOptions>
  /** Least recently used first. */
  readonly #remembered = new Map<string, Remembered>()
  readonly #buckets = new Map<string, Bucket>()
  readonly #stopped = new AbortController()
  #waiting: Remembered[] = []
  #writing: Promise<void> | undefined
  #dropped = 0

  constructor(options: EventRecorderOptions) {
    this.#options = {
      clock: systemClock,
      aggregationMs: 600_000,
      maxRemembered: 4096,
      burst: 25,
      refillMs: 300_000,
      ...options,
    }
  }

  /** Events left out because there were too many. */
  get dropped(): number {
    return this.#dropped
  }

  record(request: EventRequest): void {
    if (this.#stopped.signal.aborted) return
    const event = this.#count(request)
    if (event.waiting) return
    if (!this.#admit(request.object)) {
      this.#dropped += 1
      return
    }
    event.waiting = true
    this.#waiting.push(event)
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
    })
  }

  /** Resolves when all that was recorded has been written or given up. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing
  }

  /** Gives up what is still waiting. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the event recorder was stopped'))
    await this.#writing
  }

  #count(request: EventRequest): Remembered {
    const { clock, aggregationMs, maxRemembered } = this.#options
    const { object, type, reason, message } = request
    const id = JSON.stringify([objectId(object), object.uid, type, reason, message])
    const nowMs = clock.wallMs()
    let event = this.#remembered.get(id)
    this.#remembered.delete(id)
    if (event && nowMs - event.lastMs <= aggregationMs) {
      event.count += 1
      event.lastMs = nowMs
    } else {
      event = { request, firstMs: nowMs, lastMs: nowMs, count: 1, written: undefined, waiting: false }
    }
    this.#remembered.set(id, event)
    evict(this.#remembered, maxRemembered)
    return event
  }

  #admit(object: ObjectReference): boolean {
    const { clock, burst, refillMs, maxRemembered } = this.#options
    const id = objectId(object)
    const nowMs = clock.monotonicMs()
    const bucket = this.#buckets.get(id) ?? { tokens: burst, atMs: nowMs }
    this.#buckets.delete(id)
    this.#buckets.set(id, bucket)
    evict(this.#buckets, maxRemembered)
    bucket.tokens = Math.min(burst, bucket.tokens + (nowMs - bucket.atMs) / refillMs)
    bucket.atMs = nowMs
    if (bucket.tokens < 1 || this.#waiting.length >= maxRemembered) return false
    bucket.tokens -= 1
    return true
  }

  async #writeAll(): Promise<void> {
    const { log } = this.#options
    while (this.#waiting.length > 0 && !this.#stopped.signal.aborted) {
      const events = this.#waiting
      this.#waiting = []
      for (const event of events) {
        event.waiting = false
        try {
          await this.#write(event)
        } catch (error) {
          const { object, reason } = event.request
          if (this.#stopped.signal.aborted) return
          log.warn({ kind: object.kind, object: objectId(object), reason, error: String(error) }, 'event not written')
        }
      }
    }
  }

  async #write(event: Remembered): Promise<void> {
    const { client } = this.#options
    const namespace = namespaceOf(event.request.object)
    const options = { signal: this.#stopped.signal, attempts: 3 }
    if (event.written !== undefined) {
      const body = { count: event.count, lastTimestamp: timestamp(event.lastMs), message: messageOf(event) }
      try {
        await client.patch(resources.events, { namespace, name: event.written }, { ...options, type: 'merge', body })
        return
      } catch (error) {
        // The server forgets events after an hour.
        if (!isNotFound(error)) throw error
      }
    }
    const object = this.#newEvent(event)
    await client.create(resources.events, object, options)
    event.written = object.metadata.name
  }

  #newEvent(event: Remembered): KubernetesObject {
    const { object, type, reason } = event.request
    const suffix = `.${event.lastMs.toString(16)}${randomBytes(4).toString('hex')}`
    const manifest = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        namespace: namespaceOf(object),
        name: `${object.name.slice(0, maxNameLength - suffix.length)}${suffix}`,
      },
      involvedObject: involved(object),
      type,
      reason: reason.slice(0, maxReasonLength),
      message: messageOf(event),
      count: event.count,
      firstTimestamp: timestamp(event.firstMs),
      lastTimestamp: timestamp(event.lastMs),
      source: { component: fieldManager },
      reportingComponent: fieldManager,
      reportingInstance: this.#options.instance.slice(0, maxReasonLength),
    }
    return manifest
  }
}

function involved(object: ObjectReference): object {
  const { namespace, ...reference } = object
  return namespace === '' ? reference : object
}

/** Events on cluster-scoped objects live in `default`, where `kubectl describe` looks for them. */
function namespaceOf(object: ObjectReference): string {
  return object.namespace === '' ? 'default' : object.namespace
}

function objectId(object: ObjectReference): string {
  return `${object.kind}/${object.namespace}/${object.name}`
}

function messageOf(event: Remembered): string {
  const { message } = event.request
  return message.length <= maxMessageLength ? message : `${message.slice(0, maxMessageLength - 3)}...`
}

function timestamp(wallMs: number): string {
  return new Date(wallMs).toISOString().replace(/\.\d+Z$/, 'Z')
}

function evict(map: Map<string, unknown>, limit: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= limit) return
    map.delete(oldest)
  }
}
