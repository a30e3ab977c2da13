import type { KubernetesObject } from '../api/kubernetes.ts'
import { childName, type InstanceName, instanceConfigurationKey } from '../api/names.ts'
import type { InstanceConfiguration } from '../api/settings.ts'
import type { KubeClient } from '../kube/client.ts'
import { Reflector, type ReflectorOptions } from '../kube/reflector.ts'
import { type Resource, resources } from '../kube/resource.ts'
import { Store } from '../kube/store.ts'
import { readInstanceConfiguration } from '../routing/instance-configuration.ts'
import type { Change, SourceObject } from '../routing/snapshot.ts'
import { ChangeBatch } from './change-batch.ts'
import { decodeEndpointSlice } from './decode-endpoint-slice.ts'
import { decodeIngress } from './decode-ingress.ts'
import { decodeService } from './decode-service.ts'
import { ingestConfigMap, ingestEndpointSlice, ingestIngress, ingestSecret, ingestService } from './ingest.ts'
import { SharedValues } from './shared-values.ts'
import type { Source } from './source.ts'

/** Releases of Helm are Secrets too, the largest of most clusters, and never a certificate. */
const notOfHelm = 'type!=helm.sh/release.v1'

/** How long Secrets that cannot be read, for want of a role binding, hold up the first table. Their routes are refused then. */
const secretsGraceMs = 10_000

/** How long what an earlier scope held is kept while the new scope is listed. */
const handoverMs = 30_000

export interface KubernetesSourceOptions {
  readonly client: KubeClient
  readonly log: ReflectorOptions<unknown>['log']
  readonly instance: InstanceName
  /** Called with the instance's own configuration when it is there and when it changed, before anything of its scope. */
  readonly onConfiguration: (configuration: InstanceConfiguration) => void
  readonly timings?: ReflectorOptions<unknown>['timings']
}

/** One list and watch that the present configuration asks for. */
interface Wanted {
  readonly resource: Resource
  readonly transform: (raw: KubernetesObject) => SourceObject
  readonly decode?: ReflectorOptions<SourceObject>['decode']
  readonly namespace?: string
  readonly fieldSelector?: string
}

interface Followed {
  readonly wanted: Wanted
  readonly store: Store<SourceObject>
  readonly reflector: Reflector<SourceObject>
  /** Kept only until its successors have listed. */
  retiring: boolean
}

/**
 * What one instance's proxies may see of a cluster. The scope comes from the instance's own ConfigMap; lists and
 * watches are started and stopped as it changes, without a gap in what is served.
 */
export class KubernetesSource implements Source {
  readonly #options: KubernetesSourceOptions
  readonly #followed = new Map<string, Followed>()
  readonly #configured = Promise.withResolvers<void>()
  readonly #stopped = new AbortController()
  readonly #shared = new SharedValues()
  #batch: ChangeBatch | undefined
  #configuration = ''

  constructor(options: KubernetesSourceOptions) {
    this.#options = options
    this.#configured.promise.catch(() => {})
  }

  start(onChanges: (changes: readonly Change[]) => void): void {
    this.#batch = new ChangeBatch(onChanges)
    const { instance, log } = this.#options
    log.info({ namespace: instance.namespace, configMap: childName(instance) }, 'waiting for the configuration')
    this.#follow({
      resource: resources.configMaps,
      transform: ingestConfigMap,
      namespace: instance.namespace,
      fieldSelector: `metadata.name=${childName(instance)}`,
    })
  }

  /** Resolves when the configuration and everything in its scope has been listed. */
  async synced(): Promise<void> {
    await this.#configured.promise
    const followed = [...this.#followed.values()].filter(one => !one.retiring)
    await Promise.all(followed.map(one => this.#settled(one)))
    // Before they settled the scope may have grown.
    const grown = [...this.#followed.values()].some(one => !one.retiring && !followed.includes(one))
    if (grown) await this.synced()
    else await new Promise(resolve => setImmediate(resolve))
  }

  async stop(): Promise<void> {
    this.#batch?.close()
    this.#stopped.abort()
    this.#configured.reject(new Error('the source was stopped before its configuration was there'))
    await Promise.all([...this.#followed.values()].map(({ reflector }) => reflector.stop()))
    this.#followed.clear()
  }

  #follow(wanted: Wanted): Followed {
    const { client, log, timings } = this.#options
    const key = keyOf(wanted)
    const known = this.#followed.get(key)
    if (known !== undefined) {
      known.retiring = false
      return known
    }
    const store = new Store<SourceObject>({
      onListenerError: error => log.error({ error: String(error) }, 'change could not be taken in'),
    })
    const { resource, transform, decode, ...scope } = wanted
    const reflector = new Reflector({
      client,
      log,
      resource,
      transform,
      decode,
      store,
      storePages: true,
      ...scope,
      ...(timings ? { timings } : {}),
    })
    const followed = { wanted, store, reflector, retiring: false }
    this.#followed.set(key, followed)
    store.subscribe((objectKey, object, previous) => {
      const subject = object ?? previous
      if (subject !== undefined) this.#onChange(objectKey, subject, object)
    })
    reflector.start()
    return followed
  }

  #onChange(key: string, subject: SourceObject, object: SourceObject | undefined): void {
    const { name, namespace = '' } = subject.metadata
    if (subject.kind === 'ConfigMap') {
      if (object?.kind === 'ConfigMap') this.#configure(object.data?.[instanceConfigurationKey] ?? '')
      return
    }
    // Gone here, it may still be in the list of an overlapping scope.
    const present = object ?? this.#findElsewhere(subject.kind, key)
    this.#batch?.add({ kind: subject.kind, namespace, name, object: present })
  }

  #findElsewhere(kind: SourceObject['kind'], key: string): SourceObject | undefined {
    for (const { wanted, store } of this.#followed.values()) {
      const object = wanted.resource.kind === kind ? store.get(key) : undefined
      if (object !== undefined) return object
    }
    return undefined
  }

  #configure(text: string): void {
    if (text === this.#configuration) return
    const { configuration, fault } = readInstanceConfiguration(text)
    if (configuration === undefined) {
      // The operator alone writes it; what it wrote last stays in force when somebody else broke it.
      const { instance, log } = this.#options
      log.warn(
        { namespace: instance.namespace, configMap: childName(instance), field: fault.field, problem: fault.message },
        'configuration can not be used, the last good one stays in force',
      )
      return
    }
    this.#configuration = text
    this.#options.onConfiguration(configuration)
    this.#followScope(configuration)
    this.#configured.resolve()
  }

  #followScope(configuration: InstanceConfiguration): void {
    const wanted = wantedBy(configuration, this.#shared)
    const keys = new Set(wanted.map(keyOf))
    const followed = wanted.map(one => this.#follow(one))
    const retiring: string[] = []
    for (const [key, one] of this.#followed) {
      if (keys.has(key) || one.wanted.resource === resources.configMaps) continue
      one.retiring = true
      retiring.push(key)
    }
    if (retiring.length > 0) void this.#retire(retiring, followed)
  }

  /** Stops what is no longer wanted once its successors have listed, so that no object is missing in between. */
  async #retire(keys: readonly string[], successors: readonly Followed[]): Promise<void> {
    await Promise.all(successors.map(one => this.#within(handoverMs, one.reflector.synced())))
    for (const key of keys) {
      const followed = this.#followed.get(key)
      if (!followed?.retiring || this.#stopped.signal.aborted) continue
      this.#followed.delete(key)
      await followed.reflector.stop()
      followed.store.clear()
    }
  }

  async #settled({ wanted, reflector }: Followed): Promise<void> {
    if (wanted.resource === resources.secrets) await this.#within(secretsGraceMs, reflector.synced())
    else await reflector.synced()
  }

  /** Waits for a promise, however it ends, but no longer than so, nor beyond the end of this source. */
  async #within(limitMs: number, promise: Promise<void>): Promise<void> {
    const { promise: limit, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, limitMs)
    const { signal } = this.#stopped
    signal.addEventListener('abort', () => resolve(), { once: true })
    await Promise.race([promise.catch(() => {}), limit])
    clearTimeout(timer)
  }
}

function wantedBy(configuration: InstanceConfiguration, shared: SharedValues): readonly Wanted[] {
  const { instance, namespaces, secretNamespaces, defaultCertificateSecretName } = configuration
  const scopes = namespaces === null ? [{}] : namespaces.map(namespace => ({ namespace }))
  const certificate = {
    resource: resources.secrets,
    transform: ingestSecret,
    namespace: instance.namespace,
    fieldSelector: `metadata.name=${defaultCertificateSecretName}`,
  }
  return [
    ...scopes.flatMap(scope => [
      { resource: resources.ingresses, transform: ingestIngress, decode: decodeIngress, ...scope },
      {
        resource: resources.services,
        transform: (raw: KubernetesObject) => ingestService(raw, shared),
        decode: decodeService,
        ...scope,
      },
      {
        resource: resources.endpointSlices,
        transform: (raw: KubernetesObject) => ingestEndpointSlice(raw, shared),
        decode: decodeEndpointSlice,
        ...scope,
      },
    ]),
    certificate,
    ...secretNamespaces.map(namespace => ({
      resource: resources.secrets,
      transform: ingestSecret,
      namespace,
      fieldSelector: notOfHelm,
    })),
  ]
}

function keyOf({ resource, namespace, fieldSelector }: Wanted): string {
  return `${resource.plural} ${namespace ?? '*'} ${fieldSelector ?? ''}`
}
