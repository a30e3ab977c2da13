import type { IngressDeployment } from '../api/ingressdeployment.ts'
import type { Ingress, IngressClass, KubernetesObject, Namespace, Service } from '../api/kubernetes.ts'
import { fieldManager, labels, selectorLabels } from '../api/names.ts'
import type { KubeClient } from '../kube/client.ts'
import { Reflector } from '../kube/reflector.ts'
import { objectKey, type Resource, resources } from '../kube/resource.ts'
import { Store } from '../kube/store.ts'
import type { Log } from '../observe/log.ts'
import { managedObjects } from './objects/index.ts'
import type { DesiredObject, ManagedObject } from './objects/managed-object.ts'
import { type ProxyPod, toProxyPod } from './observed.ts'
import { claimedClass } from './plan.ts'

/** An Ingress as the operator keeps it: whether its status is our writing is all that is left of its managed fields. */
export type WatchedIngress = Ingress & { readonly statusWritten: boolean }

export type OwnedStore = Store<DesiredObject, 'owner'>

interface Common {
  readonly client: KubeClient
  readonly log: Log
}

type Running = Pick<Reflector<unknown>, 'hasSynced' | 'start' | 'stop' | 'synced'>

/**
 * What the operator knows of the cluster, by watches: everything it decides by but Secrets, which have a cache of
 * their own because it may read them in some namespaces only.
 */
export class Caches {
  readonly instances: Store<IngressDeployment, 'class' | 'namespace'>
  readonly namespaces: Store<Namespace>
  readonly ingresses: Store<WatchedIngress>
  /** Every Service, for routing; those that we own are in `owned` too. */
  readonly services: Store<Service>
  readonly classes: Store<IngressClass & DesiredObject, 'owner'>
  readonly pods: Store<ProxyPod, 'owner'>
  /** Objects with our label, by kind. Secrets are in the SecretCache, IngressClasses in `classes`. */
  readonly owned: ReadonlyMap<string, OwnedStore>
  readonly #reflectors: readonly Running[]

  constructor(client: KubeClient, log: Log) {
    const onListenerError = (error: unknown): void =>
      log.error({ error: error instanceof Error ? error.stack : String(error) }, 'handling a changed object failed')
    const byOwner = <T extends KubernetesObject>(): Store<T, 'owner'> =>
      new Store({ indexers: { owner: (object: T) => listOf(ownerKey(object)) }, onListenerError })
    this.instances = new Store<IngressDeployment, 'class' | 'namespace'>({
      indexers: {
        class: object => [claimedClass(object)],
        namespace: object => listOf(object.metadata.namespace),
      },
      onListenerError,
    })
    this.namespaces = new Store({ onListenerError })
    this.ingresses = new Store({ onListenerError })
    this.services = new Store({ onListenerError })
    this.classes = byOwner()
    this.pods = byOwner()
    this.owned = new Map(ownedKinds().map(row => [row.kind, byOwner<DesiredObject>()]))
    this.#reflectors = [...this.#reflectAll({ client, log }), ...this.#reflectOwned({ client, log })]
  }

  get hasSynced(): boolean {
    return this.#reflectors.every(reflector => reflector.hasSynced)
  }

  ownedStore(kind: string): OwnedStore {
    const store = this.owned.get(kind)
    if (store === undefined) throw new Error(`there is no store of owned objects of kind ${kind}`)
    return store
  }

  /** Begins all watches; resolves when every first list is here. */
  async start(): Promise<void> {
    for (const reflector of this.#reflectors) reflector.start()
    await Promise.all(this.#reflectors.map(reflector => reflector.synced()))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#reflectors.map(reflector => reflector.stop()))
  }

  #reflectAll(common: Common): readonly Running[] {
    const { [labels.owner]: _owner, ...everyPod } = selectorLabels({ namespace: '', name: '' })
    const { ingressDeployments, namespaces, ingresses, services, ingressClasses, pods } = resources
    const keepManagedFields = true
    return [
      new Reflector({
        ...common,
        resource: ingressDeployments,
        store: this.instances,
        transform: object => object as IngressDeployment,
      }),
      new Reflector({ ...common, resource: namespaces, store: this.namespaces, transform: reduceNamespace }),
      new Reflector({
        ...common,
        resource: ingresses,
        store: this.ingresses,
        transform: reduceIngress,
        keepManagedFields,
      }),
      new Reflector({ ...common, resource: services, store: this.services, transform: object => object as Service }),
      new Reflector({
        ...common,
        resource: ingressClasses,
        store: this.classes,
        transform: object => object as IngressClass & DesiredObject,
        keepManagedFields,
      }),
      new Reflector({
        ...common,
        resource: pods,
        store: this.pods,
        transform: toProxyPod,
        labelSelector: selector(everyPod),
      }),
    ]
  }

  #reflectOwned(common: Common): readonly Running[] {
    return ownedKinds().map(
      row =>
        new Reflector({
          ...common,
          resource: resourceOf(row),
          store: this.ownedStore(row.kind),
          transform: object => object as DesiredObject,
          labelSelector: selector({ [labels.managedBy]: fieldManager }),
          keepManagedFields: true,
        }),
    )
  }
}

/** Key of the instance that an object says it belongs to. */
export function ownerKey(object: KubernetesObject): string | undefined {
  const { [labels.owner]: name, [labels.ownerNamespace]: ownerNamespace } = object.metadata.labels ?? {}
  // Pods have no label with the namespace: they are in it.
  const namespace = ownerNamespace ?? object.metadata.namespace
  return name === undefined || namespace === undefined ? undefined : objectKey({ namespace, name })
}

export function resourceOf(row: Pick<ManagedObject, 'kind'>): Resource {
  const resource = Object.values<Resource>(resources).find(resource => resource.kind === row.kind)
  if (resource === undefined) throw new Error(`kind ${row.kind} is not in the table of resources`)
  return resource
}

/** Kinds that are watched by our label: Secrets can't be watched everywhere, and of IngressClasses all matter. */
function ownedKinds(): readonly ManagedObject[] {
  return managedObjects.filter(row => row.kind !== 'Secret' && row.kind !== 'IngressClass')
}

function listOf(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value]
}

function selector(wanted: Readonly<Record<string, string>>): string {
  return Object.entries(wanted)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}

function reduceNamespace({ apiVersion, metadata }: KubernetesObject): Namespace {
  const { annotations: _annotations, ...kept } = metadata
  return { apiVersion, kind: 'Namespace', metadata: kept }
}

function reduceIngress(object: KubernetesObject): WatchedIngress {
  const { managedFields, ...metadata } = object.metadata
  const statusWritten = (managedFields ?? []).some(
    entry =>
      entry.manager === fieldManager && entry.subresource === 'status' && entry.fieldsV1?.['f:status'] !== undefined,
  )
  return { ...(object as Ingress), metadata, statusWritten }
}
