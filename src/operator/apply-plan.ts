import type { KubernetesObject } from '../api/kubernetes.ts'
import { isConflict } from '../kube/api-error.ts'
import { deleteObject } from '../kube/apply.ts'
import { resourceOf } from './caches.ts'
import type { Failure } from './findings.ts'
import { desired, managedObjects } from './objects/index.ts'
import type { DesiredObject, ManagedObject } from './objects/managed-object.ts'
import { belongsTo, liveObject, ownedObjects } from './ownership.ts'
import type { Plan } from './plan.ts'
import type { World } from './world.ts'

export interface Applied {
  readonly failures: readonly Failure[]
  /** A write met an object that had changed meanwhile: its event is on the way, and nothing is wrong. */
  readonly stale: boolean
}

/** Applies everything that the plan asks for; one object that is refused stops no other. */
export async function applyPlan(plan: Plan, world: World): Promise<Applied> {
  const readable = world.secrets.hasSynced(plan.instance.namespace)
  const failures: Failure[] = []
  let stale = false
  for (const object of desired(plan)) {
    if (!readable && needsSecrets(object)) continue
    const failure = await applyOne(object, plan, world).catch((error: unknown) => {
      if (!isConflict(error)) return failed(object, error)
      stale = true
      return undefined
    })
    if (failure) failures.push(failure)
  }
  if (!readable) failures.push(unreadableSecrets(plan, world))
  return { failures, stale }
}

/** Deletes what is ours and no longer wanted. Only to be called when everything wanted is there. */
export async function prune(plan: Plan, world: World): Promise<void> {
  const wanted = new Set(desired(plan).map(identity))
  const key = `${plan.instance.namespace}/${plan.instance.name}`
  for (const { row, object } of ownedObjects(key, world)) {
    const { namespace, name, uid = '', deletionTimestamp } = object.metadata
    if (wanted.has(identity(object)) || deletionTimestamp !== undefined) continue
    if (!belongsTo(plan.instance, plan.owner.uid, object)) continue
    await deleteObject(world.client, resourceOf(row), { namespace, name, uid })
    world.log.info({ ...described(object) }, 'object deleted, it is no longer wanted')
  }
}

async function applyOne(object: DesiredObject, plan: Plan, world: World): Promise<Failure | undefined> {
  const row = rowOf(object)
  const resource = resourceOf(row)
  const isOurs = (live: Parameters<typeof belongsTo>[2]): boolean => belongsTo(plan.instance, plan.owner.uid, live)
  let live = liveObject(row, object.metadata, world)
  if (live?.metadata.deletionTimestamp !== undefined) {
    return {
      reason: 'ApplyFailed',
      object: nameOf(object),
      message: 'is being deleted; it is made anew when it is gone',
    }
  }
  if (live !== undefined && isOurs(live) && row.mustReplace?.(live, object) === true) {
    const { namespace, name, uid = '' } = live.metadata
    await deleteObject(world.client, resource, { namespace, name, uid })
    live = undefined
  }
  const result = await world.applier.apply({ resource, desired: object, live, isOurs })
  if (result.kind === 'foreign') return foreignObject(object)
  if (result.kind !== 'unchanged') world.log.info({ ...described(object), result: result.kind }, 'object applied')
  return undefined
}

/** An object of the wanted name is there that is not ours: it is left alone. */
export function foreignObject(object: KubernetesObject): Failure {
  const message =
    'exists and belongs to somebody else; delete or rename it, or choose another name for this IngressDeployment'
  return { reason: 'NameConflict', object: nameOf(object), message }
}

/** Who grants the reading of a Secret must hold it, which the operator does a moment after it took charge. */
function needsSecrets({ kind, roleRef }: DesiredObject): boolean {
  return kind === 'Secret' || kind === 'Role' || (roleRef as { readonly kind?: string } | undefined)?.kind === 'Role'
}

function unreadableSecrets(plan: Plan, world: World): Failure {
  const { namespace } = plan.instance
  const error = world.secrets.lastError(namespace)
  const message = error instanceof Error ? error.message : 'waiting for the first answer'
  return { reason: 'ApplyFailed', object: `Secrets of namespace ${namespace}`, message }
}

function failed(object: DesiredObject, error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error)
  return { reason: 'ApplyFailed', object: nameOf(object), message }
}

function rowOf({ kind }: DesiredObject): ManagedObject {
  const row = managedObjects.find(row => row.kind === kind)
  if (row === undefined) throw new Error(`kind ${kind} is not in the table of managed objects`)
  return row
}

function described({ kind, metadata: { namespace, name } }: KubernetesObject): Readonly<Record<string, string>> {
  return { kind, ...(namespace === undefined ? {} : { namespace }), name }
}

function nameOf(object: KubernetesObject): string {
  return Object.values(described(object)).join(' ')
}

function identity({ kind, metadata: { namespace = '', name } }: DesiredObject): string {
  return `${kind}/${namespace}/${name}`
}
