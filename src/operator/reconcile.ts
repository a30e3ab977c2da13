import { isDeepStrictEqual } from 'node:util'
import type { IngressDeployment } from '../api/ingressdeployment.ts'
import type { IngressClass } from '../api/kubernetes.ts'
import { childName, fieldManager, finalizer, instanceConfigurationKey } from '../api/names.ts'
import type { InstanceConfiguration } from '../api/settings.ts'
import { isConflict, isNotFound } from '../kube/api-error.ts'
import { resources } from '../kube/resource.ts'
import { RetryAfter } from '../kube/retry.ts'
import { readInstanceConfiguration } from '../routing/instance-configuration.ts'
import { applyPlan, prune } from './apply-plan.ts'
import { awaitsBalancer } from './balancer-failure.ts'
import { judgeReferred } from './certificate.ts'
import { classWinner, conflictMessage } from './class-claims.ts'
import { decideCertificate } from './default-certificate.ts'
import { finalize, forget } from './finalize.ts'
import type { CertificateVerdict, Failure, Findings } from './findings.ts'
import { followSecrets } from './grants.ts'
import { reportChanges } from './instance-events.ts'
import { observe } from './observe.ts'
import { belongsTo } from './ownership.ts'
import { type Admitted, admit, claimedClass, decide, instanceName, type Plan, type PlanContext } from './plan.ts'
import { decideTicketKeys } from './session-tickets.ts'
import { addresses, computeStatus } from './status.ts'
import type { World } from './world.ts'

type Requeue = { readonly requeueAfterMs: number } | undefined

/** What a run found out, on which the status is computed. */
interface Outcome {
  readonly admission: Findings['admission']
  readonly plan: Plan | undefined
  readonly failures: readonly Failure[] | undefined
  readonly certificate: CertificateVerdict
  readonly stale: boolean
  readonly lookAgainAt: Date | undefined
}

/** Nothing can be concluded yet; an event will come, or this time will be over. */
interface Wait {
  readonly requeueAfterMs: number
}

const maxRetryMs = 60_000

/** How long a run waits for the Secrets of its namespace before it goes on without them. */
const secretPatienceMs = 3000

/** setTimeout and patience both end before a certificate does. */
const longestSleepMs = 24 * 3_600_000

/**
 * Brings one instance to what its spec says, in a straight line:
 *
 * 1. Read the owner. If it is gone, forget it and sweep up; if it is being deleted, take it down in order.
 * 2. Admit it: schema, cross-field rules, the claim to its class.
 * 3. Not admitted or paused: touch nothing. What runs goes on as it was last configured.
 * 4. Take charge: the finalizer comes before anything that would need it.
 * 5. Decide: which Secrets its Ingresses refer to, its certificate, the plan.
 * 6. Apply every object, then prune, unless something failed.
 * 7. Look at what is, compute the status, write it if it is another; tell Ingresses their addresses.
 * 8. Say when to look again.
 */
export async function reconcile(key: string, world: World): Promise<Requeue> {
  const owner = world.caches.instances.get(key)
  if (owner === undefined) return forget(key, world).then(() => undefined)
  if (owner.metadata.deletionTimestamp !== undefined) return finalize(owner, world)
  const admission = admitAmongAll(owner, world)
  const standsStill = admission.admitted === undefined || isPaused(owner)
  const outcome = standsStill ? standStill(owner, admission, world) : await act(owner, admission.admitted, world)
  return 'requeueAfterMs' in outcome ? outcome : conclude(owner, outcome, world)
}

/** Readable even when the rest of the spec is not valid. */
function isPaused(owner: IngressDeployment): boolean {
  const spec = owner.spec as Partial<IngressDeployment['spec']> | undefined
  return spec?.paused === true
}

type AmongAll =
  | { readonly admitted: Admitted; readonly verdict: Findings['admission'] }
  | { readonly admitted?: undefined; readonly verdict: Findings['admission'] }

function admitAmongAll(owner: IngressDeployment, world: World): AmongAll {
  // Our own status is no input: one that a newer operator wrote must not make the instance invalid.
  const { status: _status, ...written } = owner
  const admission = admit(written, world.validate)
  if (admission.admitted === undefined) {
    const message = admission.problems.map(problem => `${problem.field}: ${problem.message}`).join('; ')
    return { verdict: { reason: 'Invalid', message } }
  }
  const className = claimedClass(owner)
  const winner = classWinner(world.caches.instances.byIndex('class', className))
  if (winner !== undefined && winner.metadata.uid !== owner.metadata.uid) {
    return { verdict: { reason: 'ClassConflict', message: conflictMessage(className, winner) } }
  }
  const warnings = admission.admitted.warnings.map(({ field, message }) => `${field}: ${message}`)
  return { admitted: admission.admitted, verdict: { reason: 'Valid', warnings } }
}

/** Nothing is written; the routing session follows the configuration with which the proxies run. */
function standStill(owner: IngressDeployment, { verdict }: AmongAll, world: World): Outcome | Wait {
  const instance = instanceName(owner)
  const key = `${instance.namespace}/${instance.name}`
  const standing = standingConfiguration(key, owner, world)
  if (standing !== undefined) {
    const references = world.sessions.configure(key, standing, isPaused(owner))
    const namespaces = [...references].filter(namespace => standing.secretNamespaces.includes(namespace))
    keepSecrets(key, namespaces, world)
    const wait = awaitSecrets(instance.namespace, world)
    if (wait) return wait
  }
  const certificate =
    standing === undefined
      ? ({ reason: 'NotAdmitted', secretName: '', message: 'not looked at before Admitted is True' } as const)
      : judgeStanding(instance.namespace, standing.defaultCertificateSecretName, world)
  return { admission: verdict, plan: undefined, failures: undefined, certificate, stale: false, lookAgainAt: undefined }
}

/** What the proxies were told last. */
function standingConfiguration(key: string, owner: IngressDeployment, world: World): InstanceConfiguration | undefined {
  const instance = instanceName(owner)
  const configMap = world.caches.ownedStore('ConfigMap').get(`${instance.namespace}/${childName(instance)}`)
  if (configMap === undefined || !belongsTo(instance, owner.metadata.uid, configMap)) return undefined
  const data = configMap['data'] as Readonly<Record<string, string>> | undefined
  const { configuration, fault } = readInstanceConfiguration(data?.[instanceConfigurationKey] ?? '')
  if (fault !== undefined) {
    const { field, message } = fault
    world.log.warn({ instance: key, field, problem: message }, 'configuration of an instance can not be read')
  }
  return configuration
}

function judgeStanding(namespace: string, secretName: string, world: World): CertificateVerdict {
  return judgeReferred(secretName, world.secrets.get(namespace, secretName), world.now())
}

async function act(owner: IngressDeployment, admitted: Admitted, world: World): Promise<Outcome | Wait> {
  const instance = instanceName(owner)
  const key = `${instance.namespace}/${instance.name}`
  await takeCharge(owner, world)
  const context: PlanContext = {
    operatorImage: world.image,
    operatorServiceAccount: world.serviceAccount,
    namespaces: [...world.caches.namespaces.values()],
    secretNamespaces: [],
    foreignClass: foreignClass(admitted.value, world),
  }
  const { configuration } = decide(admitted, context)
  const secretNamespaces = [...world.sessions.configure(key, configuration, false)]
  const wait = awaitSecrets(instance.namespace, world)
  if (wait) return wait
  const certificate = await decideCertificate(admitted.value, world)
  const tickets = decideTicketKeys(admitted.value, world)
  const plan = decide(admitted, {
    ...context,
    secretNamespaces,
    keyPair: certificate.keyPair,
    ticketKeys: tickets?.keys,
  })
  const applied = await applyPlan(plan, world)
  const { stale } = applied
  const failures = [...[certificate.failure, tickets?.failure].filter(one => one !== undefined), ...applied.failures]
  // Bound now, so that a watch does not begin by being refused.
  keepSecrets(key, plan.secretNamespaces, world)
  const pruneFailures = failures.length > 0 || stale ? [] : await pruneAll(plan, world)
  return {
    admission: { reason: 'Valid', warnings: admitted.warnings.map(({ field, message }) => `${field}: ${message}`) },
    plan,
    failures: [...failures, ...pruneFailures],
    certificate: certificate.verdict,
    stale,
    lookAgainAt: earlier(certificate.lookAgainAt, tickets?.rotateAt),
  }
}

function earlier(one: Date | undefined, other: Date | undefined): Date | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one < other ? one : other
}

async function pruneAll(plan: Plan, world: World): Promise<readonly Failure[]> {
  try {
    await prune(plan, world)
    return []
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return [{ reason: 'ApplyFailed', object: 'deleting what is no longer wanted', message }]
  }
}

/** Nothing may be made elsewhere before the finalizer stands that takes it away again. */
async function takeCharge({ metadata }: IngressDeployment, world: World): Promise<void> {
  const { namespace = '', name, resourceVersion, finalizers = [] } = metadata
  if (finalizers.includes(finalizer)) return
  const body = { metadata: { finalizers: [...finalizers, finalizer], resourceVersion } }
  try {
    await world.client.patch(resources.ingressDeployments, { namespace, name }, { type: 'merge', body })
  } catch (error) {
    if (isConflict(error) || isNotFound(error)) throw new RetryAfter(50, 'the IngressDeployment changed meanwhile')
    throw error
  }
}

/** An IngressClass that somebody else made for the same controller is used as it is. */
function foreignClass(owner: IngressDeployment, world: World): IngressClass | undefined {
  const live = world.caches.classes.get(claimedClass(owner))
  if (live === undefined || belongsTo(instanceName(owner), owner.metadata.uid, live)) return undefined
  return live.spec?.controller === owner.spec.ingressClass.controller ? live : undefined
}

/** The permission is granted, and the first list asked for, just before: what hangs on Secrets is not judged till then. */
function awaitSecrets(namespace: string, world: World): Wait | undefined {
  if (world.secrets.hasSynced(namespace)) {
    world.awaitedSince.delete(namespace)
    return undefined
  }
  const nowMs = world.now().getTime()
  const since = world.awaitedSince.get(namespace) ?? nowMs
  world.awaitedSince.set(namespace, since)
  const leftMs = since + secretPatienceMs - nowMs
  return leftMs > 0 ? { requeueAfterMs: leftMs } : undefined
}

function keepSecrets(key: string, namespaces: readonly string[], world: World): void {
  world.secretNamespaces.set(key, namespaces)
  followSecrets(world)
}

async function conclude(owner: IngressDeployment, outcome: Outcome, world: World): Promise<Requeue> {
  const instance = instanceName(owner)
  const key = `${instance.namespace}/${instance.name}`
  const observed = await observe(owner, world)
  const { plan } = outcome
  const findings: Findings = {
    instance,
    generation: owner.metadata.generation ?? 0,
    paused: isPaused(owner),
    admission: outcome.admission,
    failures: outcome.failures,
    certificate: outcome.certificate,
    observed,
    serviceType: plan?.service.type,
    now: world.now(),
  }
  const decided = plan && { ingressClass: plan.ingressClass.name, namespaces: plan.readNamespaces }
  const { status, recheckAfterMs } = computeStatus(findings, decided, owner.status)
  await writeStatus(owner, status, world)
  reportChanges(owner, status.conditions ?? [], outcome.admission, world)
  const reached = addresses(observed)
  // Clients go where an Ingress says: not before a first proxy can answer there. Later none is called back for a pause.
  if (reached.length === 0 || observed.pods.some(pod => pod.ready)) world.sessions.setAddresses(key, reached)
  return requeue([
    recheckAfterMs,
    retryDelayMs(key, outcome, world),
    awaitsBalancer(observed.service) ? world.balancerPollMs : undefined,
    outcome.lookAgainAt && outcome.lookAgainAt.getTime() - world.now().getTime(),
  ])
}

async function writeStatus(
  owner: IngressDeployment,
  status: NonNullable<IngressDeployment['status']>,
  world: World,
): Promise<void> {
  if (isDeepStrictEqual(owner.status, status)) return
  const { namespace = '', name, uid } = owner.metadata
  const { apiVersion, kind } = owner
  const body = { apiVersion, kind, metadata: { namespace, name, uid }, status }
  const target = { namespace, name, subresource: 'status' }
  try {
    await world.client.patch(resources.ingressDeployments, target, { type: 'apply', fieldManager, force: true, body })
  } catch (error) {
    if (isNotFound(error)) return
    if (isConflict(error)) throw new RetryAfter(50, 'the IngressDeployment changed meanwhile')
    throw error
  }
}

/** Objects without our labels are not watched: what stands in the way is looked at again, ever more rarely. */
function retryDelayMs(key: string, { failures, stale }: Outcome, world: World): number | undefined {
  if (failures === undefined || failures.length === 0) {
    world.failures.delete(key)
    return stale ? world.firstRetryMs : undefined
  }
  const before = world.failures.get(key) ?? 0
  world.failures.set(key, before + 1)
  return Math.min(maxRetryMs, world.firstRetryMs * 2 ** Math.min(before, 20))
}

function requeue(delays: readonly (number | undefined)[]): Requeue {
  const wanted = delays.filter(delay => delay !== undefined)
  return wanted.length === 0
    ? undefined
    : { requeueAfterMs: Math.min(longestSleepMs, Math.max(10, Math.min(...wanted))) }
}
