import type { KubernetesObject } from '../../api/kubernetes.ts'
import { childLabels } from '../../api/names.ts'
import type { Plan } from '../plan.ts'

/** An object as it is applied: only the fields that are meant. */
export type DesiredObject = KubernetesObject & { readonly [field: string]: unknown }

/** One kind that the operator manages. */
export interface ManagedObject {
  readonly apiVersion: string
  readonly kind: string
  readonly namespaced: boolean
  /** Objects of this kind that the plan asks for; pure. */
  desired(plan: Plan): readonly DesiredObject[]
  /** The API server refuses the change in place, and replacing the object harms nobody. */
  mustReplace?(live: DesiredObject, desired: DesiredObject): boolean
}

/** Metadata of a child in the instance's own namespace, which the garbage collector removes with its owner. */
export function childMetadata(plan: Plan, name: string): KubernetesObject['metadata'] {
  return {
    name,
    namespace: plan.instance.namespace,
    labels: childLabels(plan.instance),
    ownerReferences: [plan.owner],
  }
}

/** Metadata of a child elsewhere: no owner reference may cross namespaces, so the finalizer removes it. */
export function distantMetadata(plan: Plan, name: string, namespace?: string): KubernetesObject['metadata'] {
  return { name, ...(namespace === undefined ? {} : { namespace }), labels: childLabels(plan.instance) }
}

/** The object without the keys whose value is undefined, or an empty list or map: those are not meant. */
export function meant<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const kept = Object.entries(object).filter(([, value]: [string, unknown]) => !isVoid(value))
  return Object.fromEntries(kept) as { [K in keyof T]: Exclude<T[K], undefined> }
}

function isVoid(value: unknown): boolean {
  if (value === undefined) return true
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
