import type { Plan } from '../plan.ts'
import { configMap } from './config-map.ts'
import { deployment } from './deployment.ts'
import { ingressClass } from './ingress-class.ts'
import type { DesiredObject, ManagedObject } from './managed-object.ts'
import { role } from './role.ts'
import { clusterRoleBinding, roleBinding } from './role-binding.ts'
import { secret } from './secret.ts'
import { service } from './service.ts'
import { serviceAccount } from './service-account.ts'

/**
 * THE table: one row per kind that the operator manages. Build, watch, prune, deletion and the tests iterate it.
 *
 * The order is that of applying: a permission comes before the configuration that makes a proxy use it.
 */
export const managedObjects = [
  serviceAccount,
  role,
  clusterRoleBinding,
  roleBinding,
  secret,
  configMap,
  ingressClass,
  service,
  deployment,
] as const satisfies readonly ManagedObject[]

/** Everything that the plan asks for, in the order in which it is applied. */
export function desired(plan: Plan): readonly DesiredObject[] {
  return managedObjects.flatMap(row => row.desired(plan))
}
