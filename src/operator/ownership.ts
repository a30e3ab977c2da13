import type { KubernetesObject } from '../api/kubernetes.ts'
import { fieldManager, type InstanceName, labels } from '../api/names.ts'
import { managedObjects } from './objects/index.ts'
import type { DesiredObject, ManagedObject } from './objects/managed-object.ts'
import type { World } from './world.ts'

export interface OwnedObject {
  readonly row: ManagedObject
  readonly object: DesiredObject
}

/** Is the object one of this instance's: by its labels, and controlled by nobody else? */
export function belongsTo(instance: InstanceName, uid: string | undefined, object: KubernetesObject): boolean {
  const { labels: own = {}, ownerReferences = [] } = object.metadata
  if (own[labels.managedBy] !== fieldManager || own[labels.owner] !== instance.name) return false
  if (own[labels.ownerNamespace] !== instance.namespace) return false
  const controller = ownerReferences.find(reference => reference.controller === true)
  return controller === undefined || controller.uid === uid
}

/** Everything that says it belongs to the instance, in the table's order; without Secrets that can't be read. */
export function ownedObjects(key: string, world: World): readonly OwnedObject[] {
  return managedObjects.flatMap((row: ManagedObject) => storedOf(row, key, world).map(object => ({ row, object })))
}

/** The live object of this name, as far as the caches know. */
export function liveObject(
  row: ManagedObject,
  { namespace, name }: KubernetesObject['metadata'],
  world: World,
): DesiredObject | undefined {
  const key = namespace === undefined ? name : `${namespace}/${name}`
  if (row.kind === 'IngressClass') return world.caches.classes.get(key)
  if (row.kind === 'Secret') return world.secrets.get(namespace ?? '', name) as DesiredObject | undefined
  return world.caches.ownedStore(row.kind).get(key)
}

function storedOf(row: ManagedObject, key: string, world: World): readonly DesiredObject[] {
  if (row.kind === 'IngressClass') return world.caches.classes.byIndex('owner', key)
  if (row.kind !== 'Secret') return world.caches.ownedStore(row.kind).byIndex('owner', key)
  const [namespace = '', name = ''] = key.split('/')
  return [...world.secrets.values()].filter(
    ({ metadata }) =>
      metadata.namespace === namespace &&
      metadata.labels?.[labels.owner] === name &&
      metadata.labels[labels.managedBy] === fieldManager,
  ) as unknown as readonly DesiredObject[]
}
