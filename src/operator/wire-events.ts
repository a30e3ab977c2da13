import type { KubernetesObject } from '../api/kubernetes.ts'
import { secretManagerBindingName } from '../api/names.ts'
import type { Change } from '../routing/snapshot.ts'
import { type Caches, ownerKey } from './caches.ts'
import { claimedClass } from './plan.ts'

export interface EventTargets {
  /** An instance, `namespace/name`, or a namespace. */
  readonly enqueue: (key: string) => void
  readonly enqueueIngress: (key: string) => void
  readonly take: (change: Change) => void
}

/** Which change has whom looked at. */
export function wireEvents(caches: Caches, targets: EventTargets): void {
  const { enqueue } = targets
  const enqueueOwner = (
    _key: string,
    object: KubernetesObject | undefined,
    previous: KubernetesObject | undefined,
  ): void => {
    for (const version of [object, previous]) {
      const key = version && ownerKey(version)
      if (key !== undefined) enqueue(key)
    }
  }
  caches.instances.subscribe((key, object, previous) => {
    enqueue(key)
    const [namespace = ''] = key.split('/')
    enqueue(namespace)
    // Who waits for the class must hear when it is given up.
    if (object !== undefined && previous !== undefined && claimedClass(object) === claimedClass(previous)) return
    for (const version of [object, previous]) if (version) enqueueClaimants(caches, claimedClass(version), enqueue)
  })
  for (const store of caches.owned.values()) store.subscribe(enqueueOwner)
  caches.pods.subscribe(enqueueOwner)
  caches.classes.subscribe((name, object, previous) => {
    enqueueOwner(name, object, previous)
    enqueueClaimants(caches, name, enqueue)
  })
  caches.ownedStore('RoleBinding').subscribe((key, object, previous) => {
    const { namespace = '', name } = (object ?? previous)?.metadata ?? {}
    if (name === secretManagerBindingName && key !== '') enqueue(namespace)
  })
  caches.namespaces.subscribe((name, object, previous) => {
    const seen = JSON.stringify([object?.metadata.labels, object?.metadata.deletionTimestamp])
    if (object && previous && seen === JSON.stringify([previous.metadata.labels, previous.metadata.deletionTimestamp]))
      return
    enqueue(name)
    for (const key of caches.instances.keys()) enqueue(key)
  })
  caches.ingresses.subscribe((key, object, previous) => {
    targets.take(changeOf('Ingress', object, previous))
    if (object) targets.enqueueIngress(key)
  })
  caches.services.subscribe((_key, object, previous) => {
    targets.take(changeOf('Service', object, previous))
  })
}

function enqueueClaimants(caches: Caches, className: string, enqueue: EventTargets['enqueue']): void {
  for (const { metadata } of caches.instances.byIndex('class', className)) {
    enqueue(`${metadata.namespace ?? ''}/${metadata.name}`)
  }
}

function changeOf(kind: Change['kind'], object: Change['object'], previous: Change['object']): Change {
  const { namespace = '', name = '' } = (object ?? previous)?.metadata ?? {}
  return { kind, namespace, name, object }
}
