import type { ConditionReason } from '../api/conditions.ts'
import type { InstanceName } from '../api/names.ts'
import type { CertificateFacts } from '../certificates/inspect.ts'
import type { Observed } from './observed.ts'

/** A child that could not be brought to what is wanted. */
export interface Failure {
  readonly reason: 'NameConflict' | 'ApplyFailed'
  /** Kind, namespace and name, for people. */
  readonly object: string
  readonly message: string
}

export type CertificateVerdict =
  | { readonly reason: 'Valid'; readonly secretName: string; readonly facts: CertificateFacts }
  | {
      readonly reason: Exclude<ConditionReason<'CertificateReady'>, 'Valid'>
      readonly secretName: string
      readonly facts?: CertificateFacts | undefined
      readonly message: string
    }

/** All that conditions are computed from. */
export interface Findings {
  readonly instance: InstanceName
  readonly generation: number
  readonly paused: boolean
  readonly admission:
    | { readonly reason: 'Valid'; readonly warnings: readonly string[] }
    | { readonly reason: 'Invalid' | 'ClassConflict'; readonly message: string }
  /** Undefined when nothing was applied, as when paused or not admitted. */
  readonly failures: readonly Failure[] | undefined
  readonly certificate: CertificateVerdict
  readonly observed: Observed
  /** The type wanted of the Service; undefined when nothing valid says so. */
  readonly serviceType: 'LoadBalancer' | 'NodePort' | 'ClusterIP' | undefined
  readonly now: Date
}
