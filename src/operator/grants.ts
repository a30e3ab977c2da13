import type { KubernetesObject } from '../api/kubernetes.ts'
import { clusterRoles, fieldManager, finalizer, labels, secretManagerBindingName } from '../api/names.ts'
import { deleteObject } from '../kube/apply.ts'
import { resources } from '../kube/resource.ts'
import type { DesiredObject } from './objects/managed-object.ts'
import type { World } from './world.ts'

/**
 * Lets the operator manage Secrets in a namespace as long as there is an IngressDeployment that it takes care of, and
 * no longer. The binding belongs to all instances of the namespace, hence to none.
 */
export async function reconcileNamespace(namespace: string, world: World): Promise<undefined> {
  const live = world.caches.ownedStore('RoleBinding').get(`${namespace}/${secretManagerBindingName}`)
  try {
    if (isNeeded(namespace, world)) await applyBinding(namespace, live, world)
    else await deleteBinding(namespace, live, world)
  } finally {
    // Also after a failure: what the watch is refused is told in the instances' conditions.
    followSecrets(world)
  }
  return undefined
}

async function applyBinding(namespace: string, live: KubernetesObject | undefined, world: World): Promise<void> {
  const desired = secretManagerBinding(namespace, world.serviceAccount)
  const result = await world.applier.apply({ resource: resources.roleBindings, desired, live, isOurs })
  if (result.kind !== 'foreign') return
  world.log.warn({ namespace, name: secretManagerBindingName }, 'role binding of this name belongs to somebody else')
}

async function deleteBinding(namespace: string, live: KubernetesObject | undefined, world: World): Promise<void> {
  world.awaitedSince.delete(namespace)
  if (live === undefined || !isOurs(live)) return
  const { uid = '' } = live.metadata
  await deleteObject(world.client, resources.roleBindings, { namespace, name: secretManagerBindingName, uid })
}

/** Watches the Secrets of every namespace where the operator has a reason, and the permission, to read them. */
export function followSecrets(world: World): void {
  const wanted = new Set([...world.secretNamespaces.values()].flat())
  for (const namespace of world.caches.instances.indexValues('namespace')) {
    if (isNeeded(namespace, world)) wanted.add(namespace)
  }
  world.secrets.keep(wanted)
}

function isNeeded(namespace: string, world: World): boolean {
  if (world.caches.namespaces.get(namespace)?.metadata.deletionTimestamp !== undefined) return false
  return world.caches.instances
    .byIndex('namespace', namespace)
    .some(({ metadata }) => metadata.finalizers?.includes(finalizer) ?? false)
}

function secretManagerBinding(namespace: string, subject: World['serviceAccount']): DesiredObject {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: {
      name: secretManagerBindingName,
      namespace,
      labels: {
        [labels.name]: 'ingress-fleet',
        [labels.component]: 'operator',
        [labels.managedBy]: fieldManager,
      },
    },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRoles.secretManager },
    subjects: [{ kind: 'ServiceAccount', ...subject }],
  }
}

function isOurs({ metadata }: KubernetesObject): boolean {
  return metadata.labels?.[labels.managedBy] === fieldManager && metadata.labels[labels.owner] === undefined
}
