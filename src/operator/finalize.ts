import type { IngressDeployment } from '../api/ingressdeployment.ts'
import { childName, finalizer } from '../api/names.ts'
import { isConflict, isNotFound } from '../kube/api-error.ts'
import { deleteObject } from '../kube/apply.ts'
import { resources } from '../kube/resource.ts'
import { RetryAfter } from '../kube/retry.ts'
import { resourceOf } from './caches.ts'
import { followSecrets } from './grants.ts'
import { belongsTo, type OwnedObject, ownedObjects } from './ownership.ts'
import { instanceName } from './plan.ts'
import type { World } from './world.ts'

/** Longer than its pods' grace period no deletion waits for them: the node may be gone. */
const podPatienceMs = 60_000

const pollMs = 1000
const settlePollMs = 100

/**
 * Takes down what the garbage collector does not, in an order that loses no request: first nobody is sent here any
 * more, then the proxies end, then the class and the permissions go. Each step is content with what is gone already.
 */
export async function finalize(
  owner: IngressDeployment,
  world: World,
): Promise<{ readonly requeueAfterMs: number } | undefined> {
  const instance = instanceName(owner)
  const key = `${instance.namespace}/${instance.name}`
  const served = end(key, world)
  if (owner.metadata.finalizers?.includes(finalizer) !== true) return publishAll(served, world)
  // 1. No Ingress tells clients to come here. Which one is served by nobody is known when all were looked at.
  if (!world.settled()) return { requeueAfterMs: settlePollMs }
  await publishAll(new Set([...served, ...unclaimedIngresses(world)]), world)
  // 2. The address and the proxies go; their pods drain.
  const owned = ownedObjects(key, world).filter(({ object }) => belongsTo(instance, owner.metadata.uid, object))
  const serving = owned.filter(({ row }) => row.kind === 'Service' || row.kind === 'Deployment')
  for (const one of serving) await remove(one, world)
  const pods = world.caches.pods.byIndex('owner', key)
  if ((serving.length > 0 || pods.length > 0) && !outOfPatience(owner, world)) return { requeueAfterMs: pollMs }
  // 3. The class, the permissions and all the rest. In a namespace that is being deleted only what is elsewhere: the
  // rest goes with it, and the permission to delete it may have gone before.
  const goesAnyway = world.caches.namespaces.get(instance.namespace)?.metadata.deletionTimestamp !== undefined
  for (const one of owned.toReversed()) {
    if (!goesAnyway || isDistant(one, instance.namespace, childName(instance))) await remove(one, world)
  }
  // 4. The IngressDeployment itself may go.
  await removeFinalizer(owner, world)
  world.log.info({ namespace: instance.namespace, name: instance.name }, 'instance deleted')
  return undefined
}

/** The owner is gone: nothing is remembered of it, and what it left behind against its finalizer is swept up. */
export async function forget(key: string, world: World): Promise<void> {
  await publishAll(end(key, world), world)
  const [namespace = '', name = ''] = key.split('/')
  for (const one of ownedObjects(key, world)) {
    const ours = belongsTo({ namespace, name }, undefined, one.object)
    if (ours && isDistant(one, namespace, childName({ namespace, name }))) await remove(one, world)
  }
}

/** The instance serves no longer. Gives the Ingresses that it served. */
function end(key: string, world: World): readonly string[] {
  world.reports.forget(key)
  world.failures.delete(key)
  if (world.secretNamespaces.delete(key)) followSecrets(world)
  return world.sessions.end(key)
}

/** Those whose status is ours though no instance serves them: of this instance, if the operator was restarted since. */
function unclaimedIngresses(world: World): readonly string[] {
  return [...world.caches.ingresses.values()]
    .filter(ingress => ingress.statusWritten && world.sessions.claimant(ingress) === undefined)
    .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`)
}

async function publishAll(ingressKeys: Iterable<string>, world: World): Promise<undefined> {
  for (const key of ingressKeys) await world.publishIngress(key)
  return undefined
}

function outOfPatience(owner: IngressDeployment, world: World): boolean {
  const since = Date.parse(owner.metadata.deletionTimestamp ?? '')
  const graceSeconds: unknown = (owner.spec as Partial<IngressDeployment['spec']> | undefined)?.pod
    ?.terminationGracePeriodSeconds
  const graceMs = (typeof graceSeconds === 'number' ? graceSeconds : 90) * 1000
  return world.now().getTime() > since + graceMs + podPatienceMs
}

/** No owner reference may cross namespaces or hold what is cluster-scoped. */
function isDistant({ row, object }: OwnedObject, namespace: string, ownName: string): boolean {
  if (!row.namespaced) return true
  // A scope may name the instance's own namespace: that binding is no child either.
  return row.kind === 'RoleBinding' && (object.metadata.namespace !== namespace || object.metadata.name !== ownName)
}

async function remove({ row, object }: OwnedObject, world: World): Promise<void> {
  const { namespace, name, uid = '', deletionTimestamp } = object.metadata
  if (deletionTimestamp === undefined) await deleteObject(world.client, resourceOf(row), { namespace, name, uid })
}

async function removeFinalizer({ metadata }: IngressDeployment, world: World): Promise<void> {
  const { namespace = '', name, resourceVersion } = metadata
  const finalizers = (metadata.finalizers ?? []).filter(other => other !== finalizer)
  try {
    const body = { metadata: { finalizers, resourceVersion } }
    await world.client.patch(resources.ingressDeployments, { namespace, name }, { type: 'merge', body })
  } catch (error) {
    if (isConflict(error)) throw new RetryAfter(50, 'the IngressDeployment changed meanwhile')
    if (!isNotFound(error)) throw error
  }
}
