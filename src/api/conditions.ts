/**
 * Types and reasons of the conditions of an IngressDeployment. Reasons are stable: programs may compare them.
 * Convention: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md
 */
export const conditionReasons = {
  Admitted: ['Valid', 'Invalid', 'ClassConflict'],
  ObjectsApplied: ['Applied', 'NameConflict', 'ApplyFailed', 'NotAdmitted', 'Paused'],
  CertificateReady: [
    'Valid',
    'CertificateNotFound',
    'MissingData',
    'InvalidCertificate',
    'InvalidKeyPair',
    'Expired',
    'NotYetValid',
    'IssueFailed',
    'NotAdmitted',
  ],
  DeploymentAvailable: ['DeploymentAvailable', 'DeploymentUnavailable', 'ScaledToZero', 'DeploymentNotFound'],
  DeploymentReplicasMinAvailable: [
    'MinimumReplicasAvailable',
    'MinimumReplicasUnavailable',
    'ScaledToZero',
    'DeploymentNotFound',
  ],
  DeploymentReplicasAllAvailable: ['ReplicasAvailable', 'ReplicasNotAvailable', 'ScaledToZero', 'DeploymentNotFound'],
  LoadBalancerReady: [
    'LoadBalancerProvisioned',
    'NotWanted',
    'LoadBalancerPending',
    'SyncLoadBalancerFailed',
    'ServiceNotFound',
  ],
  Paused: ['Paused', 'NotPaused'],
  Available: ['Available', 'Unavailable', 'ScaledToZero'],
  Progressing: ['RollingOut', 'PodsStarting', 'ProgressDeadlineExceeded', 'NotProgressing'],
  Degraded: ['DegradedConditions', 'AsExpected'],
  Ready: ['Ready', 'NotReady', 'ScaledToZero'],
} as const satisfies Record<string, readonly string[]>

export type ConditionType = keyof typeof conditionReasons
export type ConditionReason<T extends ConditionType> = (typeof conditionReasons)[T][number]
