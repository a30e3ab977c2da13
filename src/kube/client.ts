import type { KubernetesObject } from '../api/kubernetes.ts'
import type { ClusterAccess } from './credentials.ts'
import { type ProtobufList, protobufMediaType, readProtobufList } from './protobuf-list.ts'
import { type Resource, type ResourceName, resourcePath } from './resource.ts'
import { type KubeRequest, type RequestOptions, Transport, type TransportOptions } from './transport.ts'

export interface ListOptions {
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly limit?: number
  readonly continue?: string | undefined
  readonly resourceVersion?: string | undefined
}

export interface ObjectList<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items: readonly T[] | null
}

export type Patch = (
  | { readonly type: 'apply'; readonly fieldManager: string; readonly force: boolean; readonly body: object }
  | { readonly type: 'merge'; readonly body: object }
  | { readonly type: 'json'; readonly body: readonly object[] }
) &
  RequestOptions

export interface DeleteOptions extends RequestOptions {
  /** Only this very object; a successor of the same name stays. */
  readonly uid?: string
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
}

const patchContentTypes = {
  apply: 'application/apply-patch+yaml',
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
} as const

const reading = new Set(['get', 'list', 'watch'])

/**
 * Requests to one API server over shared keep-alive connections.
 *
 * Methods throw `ApiError` when the server says no and `ConnectionError` when it says nothing.
 * Paths and bodies: https://kubernetes.io/docs/reference/using-api/api-concepts/
 */
export class KubeClient {
  readonly #access: ClusterAccess
  readonly #transport: Transport

  constructor(access: ClusterAccess, options: TransportOptions) {
    this.#access = access
    this.#transport = new Transport(access, options)
  }

  /** Namespace of the pod or of the kubeconfig's context. */
  get namespace(): string {
    return this.#access.namespace
  }

  /** Requests sent so far, tries included, by verb and plural, as in `patch deployments` or `patch ingresses/status`. */
  get counts(): ReadonlyMap<string, number> {
    return this.#transport.counts
  }

  /** How many requests that write were sent, but for the resources named (`leases` are renewed all the time). */
  writesExcept(...plurals: readonly string[]): number {
    let total = 0
    for (const [key, count] of this.counts) {
      const [verb = '', plural = ''] = key.split(' ')
      if (!reading.has(verb) && !plurals.includes(plural)) total += count
    }
    return total
  }

  get<T = KubernetesObject>(resource: Resource, target: ResourceName, options: RequestOptions = {}): Promise<T> {
    const countedAs = label('get', resource, target)
    return this.request({
      ...options,
      method: 'GET',
      path: resourcePath(resource, target),
      repeatable: true,
      countedAs,
    })
  }

  /** One page of a list; `metadata.continue` asks for the next. */
  list<T>(resource: Resource, list: ListOptions = {}, options: RequestOptions = {}): Promise<ObjectList<T>> {
    return this.request(listRequest(resource, list, options))
  }

  /**
   * The same in the API server's own encoding, which is much less work for both; as JSON where the server knows no
   * other. Throws `MalformedProtobuf` when what comes is neither.
   */
  async listProtobuf<T>(
    resource: Resource,
    list: ListOptions = {},
    options: RequestOptions = {},
  ): Promise<ProtobufList | ObjectList<T>> {
    const accept = `${protobufMediaType}, application/json;q=0.9`
    const { mediaType, bytes } = await this.#transport.requestBytes({
      ...listRequest(resource, list, options),
      accept,
    })
    return mediaType === protobufMediaType ? readProtobufList(bytes) : (JSON.parse(bytes.toString()) as ObjectList<T>)
  }

  create<T extends KubernetesObject>(
    resource: Resource,
    object: T,
    options: RequestOptions = {},
  ): Promise<T & KubernetesObject> {
    const { namespace } = object.metadata
    const path = resourcePath(resource, namespace === undefined ? {} : { namespace })
    return this.request({ ...options, method: 'POST', path, body: object, countedAs: label('create', resource) })
  }

  /** Replaces an object whole; with a resourceVersion in it, only if it is still that version. */
  replace<T extends KubernetesObject>(
    resource: Resource,
    object: T,
    options: RequestOptions & { readonly subresource?: string } = {},
  ): Promise<T & KubernetesObject> {
    const { namespace, name } = object.metadata
    const target = {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(options.subresource === undefined ? {} : { subresource: options.subresource }),
    }
    const countedAs = label('update', resource, target)
    return this.request({ ...options, method: 'PUT', path: resourcePath(resource, target), body: object, countedAs })
  }

  patch<T = KubernetesObject>(resource: Resource, target: ResourceName, patch: Patch): Promise<T> {
    const { type, body, ...options } = patch
    const query = type === 'apply' ? { fieldManager: patch.fieldManager, force: patch.force } : {}
    return this.request({
      ...options,
      method: 'PATCH',
      path: resourcePath(resource, target),
      query,
      body,
      contentType: patchContentTypes[type],
      repeatable: type !== 'json',
      countedAs: label('patch', resource, target),
    })
  }

  async delete(resource: Resource, target: ResourceName, options: DeleteOptions = {}): Promise<void> {
    const { uid, propagationPolicy, ...request } = options
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...(uid === undefined ? {} : { preconditions: { uid } }),
      ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    }
    const path = resourcePath(resource, target)
    const countedAs = label('delete', resource, target)
    await this.request({ ...request, method: 'DELETE', path, body, repeatable: uid !== undefined, countedAs })
  }

  /** Any other request; JSON both ways. */
  request<T>(request: KubeRequest): Promise<T> {
    return this.#transport.request(request)
  }

  /** Opens a watch and gives its bytes. The caller ends it by `signal`; only the first answer has a time limit. */
  stream(request: KubeRequest & { readonly signal: AbortSignal }): Promise<AsyncIterable<Buffer>> {
    return this.#transport.stream(request)
  }

  /** Breaks off what is under way and closes all connections. */
  close(): Promise<void> {
    return this.#transport.close()
  }
}

function listRequest(resource: Resource, list: ListOptions, options: RequestOptions): KubeRequest {
  const { namespace, ...query } = list
  const path = resourcePath(resource, namespace === undefined ? {} : { namespace })
  return { ...options, method: 'GET', path, query: { ...query }, repeatable: true, countedAs: label('list', resource) }
}

function label(verb: string, resource: Resource, target: { readonly subresource?: string } = {}): string {
  return target.subresource === undefined
    ? `${verb} ${resource.plural}`
    : `${verb} ${resource.plural}/${target.subresource}`
}
