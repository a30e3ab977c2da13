import type { IngressDeployment } from '../api/ingressdeployment.ts'
import type { Condition } from '../api/kubernetes.ts'
import type { Findings } from './findings.ts'
import { reference } from './plan.ts'
import type { World } from './world.ts'

/** Conditions whose turning False is worth an Event on the IngressDeployment; the roll-ups would say it twice. */
const told = ['Admitted', 'ObjectsApplied', 'CertificateReady']

/** Events on the instance itself, for what changed since the status before. */
export function reportChanges(
  owner: IngressDeployment,
  conditions: readonly Condition[],
  admission: Findings['admission'],
  world: Pick<World, 'events'>,
): void {
  const object = reference(owner)
  const before = new Map((owner.status?.conditions ?? []).map(condition => [condition.type, condition]))
  for (const { type, status, reason, message } of conditions) {
    const earlier = before.get(type)
    if (earlier?.status === status && earlier.reason === reason && earlier.message === message) continue
    if (told.includes(type) && status === 'False' && reason !== 'NotAdmitted') {
      world.events.record({ object, type: 'Warning', reason, message })
    }
    if (type === 'Ready' && status === 'True' && earlier?.status !== 'True') {
      world.events.record({ object, type: 'Normal', reason, message })
    }
    if (type === 'Admitted' && admission.reason === 'Valid') {
      for (const warning of admission.warnings) {
        world.events.record({ object, type: 'Warning', reason: 'IneffectiveSetting', message: warning })
      }
    }
  }
}
