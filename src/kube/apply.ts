import { createHash } from 'node:crypto'
import type { KubernetesObject } from '../api/kubernetes.ts'
import { fieldManager } from '../api/names.ts'
import { ApiError, hasStatus, isConflict, isNotFound } from './api-error.ts'
import type { KubeClient } from './client.ts'
import { removalsOfForeignItems } from './foreign-items.ts'
import { appliedFields, isApplied } from './managed-fields.ts'
import type { Resource, ResourceName } from './resource.ts'

/**
 * What came of an apply. `foreign`: an object of that name is there that is not ours, and nothing was sent.
 * `object` is what the server has now.
 */
export interface ApplyResult {
  readonly kind: 'created' | 'updated' | 'unchanged' | 'foreign'
  readonly object: KubernetesObject
}

export interface ApplyRequest {
  readonly resource: Resource
  /** All that we mean and nothing else. Secrets by `data`, not `stringData`. */
  readonly desired: KubernetesObject
  /** As last heard from the server, with its managedFields; undefined when the caller knows of none. */
  readonly live: KubernetesObject | undefined
  readonly isOurs: (live: KubernetesObject) => boolean
  readonly signal?: AbortSignal
}

export interface ApplierOptions {
  readonly client: KubeClient
  readonly manager?: string
  /** Objects whose last apply is remembered. */
  readonly maxRemembered?: number
}

/** Server-side apply that sends nothing when nothing would change, and never writes what is not ours. */
export class Applier {
  readonly #client: KubeClient
  readonly #manager: string
  readonly #maxRemembered: number
  /** By uid: what was applied, and how the object stood after it. */
  readonly #remembered = new Map<string, string>()

  constructor(options: ApplierOptions) {
    this.#client = options.client
    this.#manager = options.manager ?? fieldManager
    this.#maxRemembered = options.maxRemembered ?? 10_000
  }

  /** Throws `ApiError` when the server refuses, 409 included: then `live` was old. */
  async apply(request: ApplyRequest): Promise<ApplyResult> {
    const live = request.live ?? (await this.#find(request))
    if (live && !request.isOurs(live)) return { kind: 'foreign', object: live }
    if (live && this.#stands(request.desired, live)) return { kind: 'unchanged', object: live }
    const object = await this.#send(request, live).catch((error: unknown) => this.#repair(request, error))
    this.#remember(request.desired, object)
    if (!live) return { kind: 'created', object }
    const same = live.metadata.resourceVersion === object.metadata.resourceVersion
    return { kind: same ? 'unchanged' : 'updated', object }
  }

  /** The caller watches only what has our labels; an object without them may have the name all the same. */
  async #find({ resource, desired, signal }: ApplyRequest): Promise<KubernetesObject | undefined> {
    try {
      return await this.#client.get(resource, nameOf(desired), signal ? { signal } : {})
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  #send({ resource, desired, signal }: ApplyRequest, live: KubernetesObject | undefined): Promise<KubernetesObject> {
    // With the uid the server refuses when the object has been replaced by another of its name since.
    const uid = live?.metadata.uid
    const body = uid === undefined ? desired : { ...desired, metadata: { ...desired.metadata, uid } }
    return this.#client.patch(resource, nameOf(desired), {
      type: 'apply',
      fieldManager: this.#manager,
      // A new object has no other manager; if one appears just now, it is not to be overruled.
      force: live !== undefined,
      body,
      ...(signal ? { signal } : {}),
    })
  }

  /** Sends again without the list items that exclude ours, if that is what the server objects to. */
  #repair(request: ApplyRequest, error: unknown): Promise<KubernetesObject> {
    if (!hasStatus(error, 422)) throw error
    const causes = error.details.causes ?? []
    if (causes.some(cause => cause.field === 'metadata.uid')) {
      const message = 'it was replaced by another object of its name since it was read'
      throw new ApiError({ status: 409, body: { reason: 'Conflict', message }, request: error.message })
    }
    if (!causes.some(cause => cause.reason === 'FieldValueDuplicate')) throw error
    return this.#removeAndSend(request, error)
  }

  async #removeAndSend(request: ApplyRequest, error: ApiError): Promise<KubernetesObject> {
    // The places in the lists hold only for the version that was read, so it is read anew.
    const live = await this.#find(request)
    const removals = live && request.isOurs(live) ? removalsOfForeignItems(request.desired, live, this.#manager) : []
    if (!live || removals.length === 0) throw error
    const sameVersion = { op: 'replace', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion }
    const { resource, desired, signal } = request
    const options = signal ? { signal } : {}
    await this.#client.patch(resource, nameOf(desired), { type: 'json', body: [sameVersion, ...removals], ...options })
    return this.#send(request, live)
  }

  #stands(desired: KubernetesObject, live: KubernetesObject): boolean {
    const applied = appliedFields(live, this.#manager)
    if (!applied) return false
    return (
      isApplied(desired, live, applied) || this.#remembered.get(live.metadata.uid ?? '') === this.#mark(desired, live)
    )
  }

  #remember(desired: KubernetesObject, object: KubernetesObject): void {
    const uid = object.metadata.uid ?? ''
    this.#remembered.delete(uid)
    this.#remembered.set(uid, this.#mark(desired, object))
    if (this.#remembered.size <= this.#maxRemembered) return
    for (const oldest of this.#remembered.keys()) {
      this.#remembered.delete(oldest)
      return
    }
  }

  /**
   * Desired and live state in short. The server may store a value differently than it was sent, so that the two never
   * look equal; when nothing in this mark has changed since the last apply, sending it again would change nothing.
   * A generation changes with every change of spec; our applied fields change when another manager takes one.
   */
  #mark(desired: KubernetesObject, live: KubernetesObject): string {
    const { generation, resourceVersion } = live.metadata
    const applied = appliedFields(live, this.#manager)
    const version = generation === undefined ? resourceVersion : `generation ${generation}`
    return createHash('sha256')
      .update(JSON.stringify([desired, version, applied]))
      .digest('base64')
  }
}

/** What came of a deletion: `absent` when there was none, `replaced` when another object has the name now. */
export type DeleteResult = 'deleted' | 'absent' | 'replaced'

/** Deletes this very object (by uid), and is content when it is gone already. */
export async function deleteObject(
  client: KubeClient,
  resource: Resource,
  target: { readonly namespace?: string | undefined; readonly name: string; readonly uid: string },
): Promise<DeleteResult> {
  const { namespace, name, uid } = target
  try {
    const options = { uid, propagationPolicy: 'Background' } as const
    await client.delete(resource, namespace === undefined ? { name } : { namespace, name }, options)
    return 'deleted'
  } catch (error) {
    if (isNotFound(error)) return 'absent'
    if (isConflict(error)) return 'replaced'
    throw error
  }
}

function nameOf(object: KubernetesObject): ResourceName {
  const { namespace, name } = object.metadata
  return namespace === undefined ? { name } : { namespace, name }
}
