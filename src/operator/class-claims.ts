import type { IngressDeployment } from '../api/ingressdeployment.ts'
import { instanceName } from './plan.ts'

/**
 * Of several IngressDeployments that claim one class the oldest has it, even while it is invalid or being deleted, so
 * that no edit takes a class away from a running fleet. Equal ages are decided by uid.
 */
export function classWinner(claimants: readonly IngressDeployment[]): IngressDeployment | undefined {
  return claimants.toSorted(byAge)[0]
}

export function conflictMessage(className: string, winner: IngressDeployment): string {
  const { namespace, name } = instanceName(winner)
  return `IngressClass ${className} is claimed by the older IngressDeployment ${namespace}/${name}; set another ingressClass.name, or delete that one: this one is then admitted by itself`
}

function byAge(one: IngressDeployment, other: IngressDeployment): number {
  const ages = [one, other].map(({ metadata }) => Date.parse(metadata.creationTimestamp ?? '') || 0)
  return (ages[0] ?? 0) - (ages[1] ?? 0) || ((one.metadata.uid ?? '') < (other.metadata.uid ?? '') ? -1 : 1)
}
