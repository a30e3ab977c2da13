import { type ConditionReason, type ConditionType, conditionReasons } from '../api/conditions.ts'
import type { Condition } from '../api/kubernetes.ts'
import { childName, labels } from '../api/names.ts'
import type { Findings } from './findings.ts'

interface Verdict<T extends ConditionType> {
  readonly status: Condition['status']
  readonly reason: ConditionReason<T>
  readonly message: string
}

/** Conditions computed so far, on which the roll-ups build. */
type Earlier = ReadonlyMap<ConditionType, Condition>

type ConditionTable = { readonly [T in ConditionType]: (findings: Findings, earlier: Earlier) => Verdict<T> }

/** How long a condition may be False before a person should look. Those not listed never count. */
const graceMs: Partial<Record<ConditionType, number>> = {
  Admitted: 0,
  ObjectsApplied: 30_000,
  CertificateReady: 30_000,
  DeploymentAvailable: 30_000,
  DeploymentReplicasMinAvailable: 60_000,
  DeploymentReplicasAllAvailable: 3_600_000,
  LoadBalancerReady: 90_000,
}

/** Reasons that are somebody's wish, or told by another condition: nothing is wrong with the thing itself. */
const harmlessReasons: readonly string[] = ['ScaledToZero', 'NotAdmitted']

/** THE table: one row per condition, in the order of computing, roll-ups last. */
const conditionTable: ConditionTable = {
  Admitted: admitted,
  ObjectsApplied: objectsApplied,
  CertificateReady: certificateReady,
  DeploymentAvailable: replicasAvailable<'DeploymentAvailable'>({
    met: 'DeploymentAvailable',
    unmet: 'DeploymentUnavailable',
    needed: () => 1,
  }),
  DeploymentReplicasMinAvailable: replicasAvailable<'DeploymentReplicasMinAvailable'>({
    met: 'MinimumReplicasAvailable',
    unmet: 'MinimumReplicasUnavailable',
    needed: wanted => Math.ceil(wanted / 2),
  }),
  DeploymentReplicasAllAvailable: replicasAvailable<'DeploymentReplicasAllAvailable'>({
    met: 'ReplicasAvailable',
    unmet: 'ReplicasNotAvailable',
    needed: wanted => wanted,
  }),
  LoadBalancerReady: loadBalancerReady,
  Paused: ({ paused }) =>
    paused
      ? verdict('True', 'Paused', 'spec.paused is true: nothing but this status is written; set it to false to go on')
      : verdict('False', 'NotPaused', 'the operator keeps the instance as its spec says'),
  Available: available,
  Progressing: progressing,
  Degraded: degraded,
  Ready: ready,
}

/** Every condition, in the table's order. A time of transition moves with its status only. */
export function computeConditions(findings: Findings, previous: readonly Condition[] = []): readonly Condition[] {
  const computed = new Map<ConditionType, Condition>()
  for (const type of Object.keys(conditionReasons) as ConditionType[]) {
    const { status, reason, message } = conditionTable[type](findings, computed)
    const before = previous.find(condition => condition.type === type)
    const since = before?.status === status ? before.lastTransitionTime : rfc3339(findings.now)
    const text = message.length > maxMessageLength ? `${message.slice(0, maxMessageLength - 3)}...` : message
    computed.set(type, {
      type,
      status,
      observedGeneration: findings.generation,
      lastTransitionTime: since,
      reason,
      message: text,
    })
  }
  return [...computed.values()]
}

/** Milliseconds until a grace period ends; undefined when none runs. */
export function graceRemainingMs(conditions: readonly Condition[], now: Date): number | undefined {
  const remaining = conditions
    .filter(condition => counts(condition))
    .map(condition => graceOf(condition) - elapsedMs(condition, now))
    .filter(ms => ms > 0)
  return remaining.length === 0 ? undefined : Math.min(...remaining)
}

const maxMessageLength = 2048
const maxPodsTold = 5

function admitted({ admission }: Findings): Verdict<'Admitted'> {
  if (admission.reason !== 'Valid') return verdict('False', admission.reason, admission.message)
  if (admission.warnings.length === 0) return verdict('True', 'Valid', 'the spec is valid')
  const message = `the spec is valid, but ${admission.warnings.length} setting(s) have no effect: ${admission.warnings.join('; ')}`
  return verdict('True', 'Valid', message)
}

function objectsApplied({ admission, failures, paused }: Findings, _earlier: Earlier): Verdict<'ObjectsApplied'> {
  if (admission.reason !== 'Valid') {
    return verdict(
      'False',
      'NotAdmitted',
      'nothing is applied until Admitted is True; objects that exist stay as they are',
    )
  }
  if (paused) return verdict('Unknown', 'Paused', 'not looked at while spec.paused is true')
  if (failures === undefined || failures.length === 0) return verdict('True', 'Applied', 'all objects are as wanted')
  const reason = failures.some(failure => failure.reason === 'NameConflict') ? 'NameConflict' : 'ApplyFailed'
  const told = failures.map(({ object, message }) => `${object}: ${message}`)
  return verdict('False', reason, `${told.join('; ')}; it is tried again until it succeeds`)
}

function certificateReady({ certificate }: Findings): Verdict<'CertificateReady'> {
  if (certificate.reason === 'Valid') {
    const { facts, secretName } = certificate
    return verdict('True', 'Valid', `the certificate in Secret ${secretName} is valid until ${facts.notAfter}`)
  }
  const status = certificate.reason === 'NotAdmitted' ? 'Unknown' : 'False'
  return verdict(status, certificate.reason, certificate.message)
}

type ReplicaCondition = 'DeploymentAvailable' | 'DeploymentReplicasMinAvailable' | 'DeploymentReplicasAllAvailable'

interface ReplicaRow<T extends ReplicaCondition> {
  readonly met: ConditionReason<T>
  readonly unmet: ConditionReason<T>
  /** How many must be available of so many wanted. */
  readonly needed: (wanted: number) => number
}

/** The same look at the replicas with three limits, because each is worth a person's while after another time. */
function replicasAvailable<T extends ReplicaCondition>({ met, unmet, needed }: ReplicaRow<T>) {
  return ({ observed, instance }: Findings): Verdict<T> => {
    const { deployment, pods } = observed
    if (deployment === undefined) {
      const message = `Deployment ${childName(instance)} does not exist; see condition ObjectsApplied`
      return verdict('False', 'DeploymentNotFound', message)
    }
    const wanted = deployment.spec?.replicas ?? 1
    if (wanted === 0) return verdict('False', 'ScaledToZero', 'spec.replicas is 0; raise it to serve traffic')
    const available = deployment.status?.availableReplicas ?? 0
    const told = `${available} of ${wanted} proxies are available`
    if (available >= needed(wanted)) return verdict('True', met, told)
    const conditions = deployment.status?.conditions ?? []
    const quota = conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')?.message
    const troubles = pods.filter(pod => pod.trouble !== '').map(pod => `pod ${pod.metadata.name}: ${pod.trouble}`)
    const causes = [...(quota === undefined ? [] : [quota]), ...troubles.slice(0, maxPodsTold)]
    const hint = `see kubectl describe pods -n ${instance.namespace} -l ${labels.owner}=${instance.name}`
    return verdict('False', unmet, [told, ...causes, hint].join('; '))
  }
}

function loadBalancerReady({ observed, serviceType, instance }: Findings): Verdict<'LoadBalancerReady'> {
  const { service, balancerFailure } = observed
  const type = serviceType ?? service?.spec?.type
  if (type !== undefined && type !== 'LoadBalancer') {
    return verdict('True', 'NotWanted', `the Service is of type ${type}, which needs no load balancer`)
  }
  const name = childName(instance)
  if (service === undefined) {
    return verdict('False', 'ServiceNotFound', `Service ${name} does not exist; see condition ObjectsApplied`)
  }
  if ((service.status?.loadBalancer?.ingress ?? []).length > 0) {
    return verdict('True', 'LoadBalancerProvisioned', 'the load balancer has an address')
  }
  if (balancerFailure !== undefined) {
    const hint = `mend it at the cluster's load-balancer controller, or change spec.service`
    return verdict('False', 'SyncLoadBalancerFailed', `${balancerFailure}; ${hint}`)
  }
  const message = `Service ${name} waits for an address of the cluster's load-balancer controller; without such a controller use service.type NodePort`
  return verdict('False', 'LoadBalancerPending', message)
}

function available(_findings: Findings, earlier: Earlier): Verdict<'Available'> {
  if (reasonOf(earlier, 'DeploymentAvailable') === 'ScaledToZero') {
    return verdict('False', 'ScaledToZero', 'spec.replicas is 0; raise it to serve traffic')
  }
  const missing = notTrue(earlier, ['DeploymentAvailable', 'LoadBalancerReady'])
  if (missing.length === 0) return verdict('True', 'Available', 'traffic is served')
  return verdict('False', 'Unavailable', told(missing))
}

function progressing({ observed }: Findings): Verdict<'Progressing'> {
  const { deployment } = observed
  const status = deployment?.status
  const wanted = deployment?.spec?.replicas ?? 1
  if (deployment === undefined || wanted === 0) return verdict('False', 'NotProgressing', 'no rollout is under way')
  const rollout = status?.conditions?.find(({ type }) => type === 'Progressing')
  if (rollout?.reason === 'ProgressDeadlineExceeded') {
    const message = `the rollout does not get on: ${rollout.message ?? 'see the Deployment'}; older proxies go on serving`
    return verdict('False', 'ProgressDeadlineExceeded', message)
  }
  const seen = (status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  const updated = status?.updatedReplicas ?? 0
  if (!seen || rollout?.reason !== 'NewReplicaSetAvailable' || (status?.replicas ?? 0) > updated) {
    return verdict('True', 'RollingOut', `${updated} of ${wanted} proxies are of the newest revision`)
  }
  const ready = status?.availableReplicas ?? 0
  // A node that restarts its pods, or a scaling, is no rollout: nothing changes but the number.
  if (ready < wanted)
    return verdict('False', 'PodsStarting', `${ready} of ${wanted} proxies are available, no rollout is under way`)
  return verdict('False', 'NotProgressing', 'all proxies are of the newest revision')
}

function degraded({ now }: Findings, earlier: Earlier): Verdict<'Degraded'> {
  const bad = [...earlier.values()].filter(
    condition => counts(condition) && elapsedMs(condition, now) >= graceOf(condition),
  )
  const stuck = earlier.get('Progressing')
  if (stuck?.reason === 'ProgressDeadlineExceeded') bad.push(stuck)
  if (bad.length === 0) return verdict('False', 'AsExpected', 'nothing needs a person')
  return verdict('True', 'DegradedConditions', told(bad))
}

function ready({ paused }: Findings, earlier: Earlier): Verdict<'Ready'> {
  if (reasonOf(earlier, 'Available') === 'ScaledToZero') {
    return verdict('False', 'ScaledToZero', 'spec.replicas is 0; raise it to serve traffic')
  }
  // While paused nobody looks whether the objects are as wanted.
  const needed = ['Admitted', 'CertificateReady', 'Available', ...(paused ? [] : ['ObjectsApplied'])]
  const missing = notTrue(earlier, needed as ConditionType[])
  const rollout = earlier.get('Progressing')
  if (rollout !== undefined && rollout.reason !== 'NotProgressing') missing.push(rollout)
  if (missing.length === 0) return verdict('True', 'Ready', 'the instance is as its spec says, and serves traffic')
  return verdict('False', 'NotReady', told(missing))
}

function verdict<R extends string>(status: Condition['status'], reason: R, message: string) {
  return { status, reason, message }
}

function notTrue(earlier: Earlier, types: readonly ConditionType[]): Condition[] {
  return types
    .map(type => earlier.get(type))
    .filter(condition => condition !== undefined && condition.status !== 'True') as Condition[]
}

function reasonOf(earlier: Earlier, type: ConditionType): string | undefined {
  return earlier.get(type)?.reason
}

function told(conditions: readonly Condition[]): string {
  return conditions.map(({ type, reason, message }) => `${type} (${reason}): ${message}`).join('; ')
}

function counts(condition: Condition): boolean {
  return (
    condition.status === 'False' &&
    graceMs[condition.type as ConditionType] !== undefined &&
    !harmlessReasons.includes(condition.reason)
  )
}

function graceOf(condition: Condition): number {
  return graceMs[condition.type as ConditionType] ?? Number.POSITIVE_INFINITY
}

function elapsedMs(condition: Condition, now: Date): number {
  return now.getTime() - Date.parse(condition.lastTransitionTime)
}

function rfc3339(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}
