import type { KubernetesObject, Secret } from '../api/kubernetes.ts'
import { fieldManager, labels, sessionTicketKeys } from '../api/names.ts'
import type { KubeClient } from '../kube/client.ts'
import { Reflector } from '../kube/reflector.ts'
import { resources } from '../kube/resource.ts'
import { Store } from '../kube/store.ts'
import type { Log } from '../observe/log.ts'

export interface SecretCacheOptions {
  readonly client: KubeClient
  readonly log: Log
  /** A Secret changed, went, or a namespace was listed for the first time (then without a name). */
  readonly onChange: (namespace: string, name: string | undefined, secret: Secret | undefined) => void
}

interface Watched {
  readonly store: Store<Secret>
  readonly reflector: Reflector<Secret>
}

/** The keys that certificates and the routing engine need; whatever else a Secret holds is not kept. */
const keptKeys = ['tls.crt', 'tls.key', 'ca.crt', 'ca.crl', ...Object.values(sessionTicketKeys)]

/**
 * Secrets of the namespaces where the operator may read them, and of no other: one watch per namespace, begun when a
 * namespace is needed and ended when it is no longer.
 */
export class SecretCache {
  readonly #options: SecretCacheOptions
  readonly #watched = new Map<string, Watched>()
  readonly #stopping = new Set<Promise<void>>()

  constructor(options: SecretCacheOptions) {
    this.#options = options
  }

  /** Begins to watch what is new in `namespaces`, and ends what is not in it. */
  keep(namespaces: ReadonlySet<string>): void {
    for (const namespace of namespaces) {
      if (!this.#watched.has(namespace)) this.#watch(namespace)
    }
    for (const [namespace, { reflector, store }] of this.#watched) {
      if (namespaces.has(namespace)) continue
      this.#watched.delete(namespace)
      this.#track(reflector.stop())
      store.clear()
    }
  }

  hasSynced(namespace: string): boolean {
    return this.#watched.get(namespace)?.reflector.hasSynced ?? false
  }

  /** Why a namespace can't be read now; undefined while it can. */
  lastError(namespace: string): unknown {
    return this.#watched.get(namespace)?.reflector.lastError
  }

  get(namespace: string, name: string): Secret | undefined {
    return this.#watched.get(namespace)?.store.get(`${namespace}/${name}`)
  }

  *values(): Generator<Secret> {
    for (const { store } of this.#watched.values()) yield* store.values()
  }

  /** Takes in what the API server answered to a write, before the watch tells of it. */
  learn(object: KubernetesObject): void {
    const { namespace = '', name, resourceVersion = '' } = object.metadata
    const secret = reduceSecret(object)
    this.#watched.get(namespace)?.store.set(`${namespace}/${name}`, { resourceVersion, object: secret })
  }

  async stop(): Promise<void> {
    this.keep(new Set())
    await Promise.all(this.#stopping)
  }

  #watch(namespace: string): void {
    const { client, log, onChange } = this.#options
    const store = new Store<Secret>({
      onListenerError: error => log.error({ error: String(error) }, 'handling a changed Secret failed'),
    })
    const { secrets: resource } = resources
    const reflector = new Reflector<Secret>({
      client,
      resource,
      store,
      transform: reduceSecret,
      log,
      namespace,
      keepManagedFields: true,
      // The permission is bound just now: it holds a moment later.
      timings: { maxRefusedBackoffMs: 2000 },
    })
    this.#watched.set(namespace, { store, reflector })
    store.subscribe((_key, secret, previous) => {
      onChange(namespace, (secret ?? previous)?.metadata.name, secret)
    })
    reflector.start()
    const announced = reflector.synced().then(
      () => onChange(namespace, undefined, undefined),
      // Stopped before it was listed.
      () => undefined,
    )
    this.#track(announced)
  }

  #track(promise: Promise<void>): void {
    const tracked: Promise<void> = promise.finally(() => this.#stopping.delete(tracked))
    this.#stopping.add(tracked)
  }
}

/** Managed fields are kept of our own Secrets alone, where apply compares them. */
function reduceSecret(object: KubernetesObject): Secret {
  const secret = object as Secret
  const data = Object.fromEntries(Object.entries(secret.data ?? {}).filter(([key]) => keptKeys.includes(key)))
  if (secret.metadata.labels?.[labels.managedBy] === fieldManager) return { ...secret, data }
  const { managedFields: _managedFields, annotations: _annotations, ...metadata } = secret.metadata
  return { ...secret, metadata, data }
}
