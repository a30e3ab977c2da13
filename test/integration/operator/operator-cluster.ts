import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, inject, onTestFinished } from 'vitest'
import type { IngressDeployment } from '../../../src/api/ingressdeployment.ts'
import type { KubernetesObject } from '../../../src/api/kubernetes.ts'
import { isNotFound } from '../../../src/kube/api-error.ts'
import { KubeClient } from '../../../src/kube/client.ts'
import { loadClusterAccess } from '../../../src/kube/credentials.ts'
import { type Resource, resources } from '../../../src/kube/resource.ts'
import { createLog } from '../../../src/observe/log.ts'
import { type OperatorOptions, type RunningOperator, startOperator } from '../../../src/operator/operator.ts'
import { type TestCluster, testCluster } from '../cluster.ts'
import { type ControlPlane, startControlPlane } from '../control-plane.ts'

const root = join(import.meta.dirname, '../../..')

/** The ServiceAccount of config/rbac, as which the operator runs: so the permissions are tested too. */
export const operatorAccount = { namespace: 'ingress-fleet-system', name: 'ingress-fleet-controller-manager' }

export const image = 'localhost/ingress-fleet:1.2.3'

export interface StartedOperator {
  readonly running: RunningOperator
  /** The operator's own client, which counts its requests. */
  readonly client: KubeClient
  stop(): Promise<void>
}

/** A control plane of one test file, with the operator's permissions installed. */
export interface OperatorCluster {
  readonly kubectl: TestCluster['kubectl']
  readonly apply: TestCluster['apply']
  readonly createNamespace: TestCluster['createNamespace']
  readonly scratch: string
  /** Requests as administrator. */
  readonly admin: KubeClient
  readonly controlPlane: ControlPlane
  /** Starts an operator that is stopped with the test; resolves when it acts, or waits for the leadership. */
  readonly start: (options?: Partial<OperatorOptions>) => Promise<StartedOperator>
}

const available = 'address' in inject('controlPlane')

/**
 * `describe` with a control plane of its own: an operator takes care of every IngressDeployment of its cluster, so two
 * files must not share one. The body gets the cluster by a function that is called inside tests.
 */
export function describeWithOperator(name: string, body: (cluster: () => OperatorCluster) => void): void {
  const suite = available ? describe : describe.skip
  suite(name, () => {
    let cluster: { readonly value: OperatorCluster; readonly release: () => Promise<void> } | undefined
    beforeAll(async () => {
      cluster = await createOperatorCluster()
    })
    afterAll(() => cluster?.release())
    body(() => {
      if (cluster === undefined) throw new Error('the control plane is not up')
      return cluster.value
    })
  })
}

async function createOperatorCluster(): Promise<{ value: OperatorCluster; release: () => Promise<void> }> {
  const controlPlane = await startControlPlane()
  const base = testCluster(controlPlane.address)
  const admin = await clientOf(base.kubeconfig)
  await base.apply(await readFile(join(root, 'config/manager/namespace.yaml'), 'utf8'))
  await base.kubectl(['apply', '-k', join(root, 'config/rbac')])
  const kubeconfig = await base.tokenKubeconfig(operatorAccount)
  const start = async (options: Partial<OperatorOptions> = {}): Promise<StartedOperator> => {
    const one = await startOne(kubeconfig, options)
    onTestFinished(() => one.stop())
    return one
  }
  const release = async (): Promise<void> => {
    await admin.close()
    await controlPlane.stop()
  }
  return { value: { ...base, admin, controlPlane, start }, release }
}

/** Resolves when the operator acts. */
async function startOne(kubeconfig: string, options: Partial<OperatorOptions>): Promise<StartedOperator> {
  const client = options.client ?? (await clientOf(kubeconfig))
  const running = startOperator({
    client,
    image,
    namespace: operatorAccount.namespace,
    identity: `test-${Math.random()}`,
    serviceAccount: operatorAccount,
    log: createLog({ level: process.env['TEST_LOG'] === 'debug' ? 'debug' : 'silent' }),
    leaderElection: false,
    timings: { firstRetryMs: 200, balancerPollMs: 500, reportDelayMs: 200 },
    ...options,
  })
  // One that waits for the leadership may wait for long.
  await eventually(() => ((options.leaderElection ? running.isReady : running.isLeader) ? true : undefined))
  return {
    running,
    client,
    async stop() {
      await running.stop()
      await client.close()
    },
  }
}

export async function clientOf(kubeconfig: string): Promise<KubeClient> {
  const log = createLog({ level: 'silent' })
  return new KubeClient(await loadClusterAccess({ kubeconfig }), { log, userAgent: 'ingress-fleet-tests' })
}

/** The garbage collector learns of a new kind of owner up to half a minute after its CRD. */
const patienceMs = 40_000
const lookAgainMs = 50

/** Looks again and again until the look gives something; throws what the last look threw, or that it gave nothing. */
export async function eventually<T>(look: () => Promise<T | undefined> | T | undefined, ms = patienceMs): Promise<T> {
  const deadline = Date.now() + ms
  for (;;) {
    let failure: unknown = new Error(`nothing came of it within ${ms} ms: ${look.toString()}`)
    try {
      const found = await look()
      if (found !== undefined) return found
    } catch (error) {
      failure = error
    }
    if (Date.now() > deadline) throw failure
    await pause(lookAgainMs)
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/** Any object, as loosely as a test reads it. */
export interface Loose extends KubernetesObject {
  readonly spec?: Readonly<Record<string, unknown>>
  readonly status?: Readonly<Record<string, unknown>>
  readonly data?: Readonly<Record<string, string>>
  readonly rules?: unknown
  readonly subjects?: unknown
}

export async function find<T = Loose>(
  admin: KubeClient,
  resource: Resource,
  name: string,
  namespace?: string,
): Promise<T | undefined> {
  try {
    return await admin.get<T>(resource, namespace === undefined ? { name } : { namespace, name })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

export function instance(namespace: string, name: string, spec: object = {}): object {
  return { apiVersion: 'ingressfleet.dev/v1alpha1', kind: 'IngressDeployment', metadata: { namespace, name }, spec }
}

export function getInstance(admin: KubeClient, namespace: string, name: string): Promise<IngressDeployment> {
  return admin.get<IngressDeployment>(resources.ingressDeployments, { namespace, name })
}

export interface ConditionLook {
  readonly status: string
  readonly reason: string
  readonly message: string
}

export function condition(object: IngressDeployment, type: string): ConditionLook {
  const found = object.status?.conditions?.find(condition => condition.type === type)
  return found ?? { status: 'absent', reason: '', message: '' }
}

/** Waits for a condition, `Type=Status` or `Type=Status/Reason`, and gives the object then. */
export function untilCondition(
  admin: KubeClient,
  namespace: string,
  name: string,
  wanted: string,
): Promise<IngressDeployment> {
  const [type = '', rest = ''] = wanted.split('=')
  const [status, reason] = rest.split('/')
  return eventually(async () => {
    const object = await getInstance(admin, namespace, name)
    const found = condition(object, type)
    if (found.status === status && (reason === undefined || found.reason === reason)) return object
    throw new Error(`waited for ${wanted}, it is ${found.status}/${found.reason}: ${found.message}`)
  })
}

/** Does what a kubelet would: every pod of the instance is running and ready. */
export async function makePodsReady(admin: KubeClient, namespace: string, name: string, count = 2): Promise<void> {
  const labelSelector = `ingressfleet.dev/ingressdeployment=${name}`
  const pods = await eventually(async () => {
    const { items } = await admin.list<Loose>(resources.pods, { namespace, labelSelector })
    const living = (items ?? []).filter(pod => pod.metadata.deletionTimestamp === undefined)
    return living.length >= count ? living : undefined
  })
  for (const [index, pod] of pods.entries()) {
    const now = new Date().toISOString()
    const conditions = ['Ready', 'ContainersReady', 'PodScheduled'].map(type => ({
      type,
      status: 'True',
      lastTransitionTime: now,
    }))
    const body = {
      status: { phase: 'Running', podIP: `10.1.0.${index + 1}`, hostIP: `192.0.2.${index + 1}`, conditions },
    }
    const target = { namespace, name: pod.metadata.name, subresource: 'status' }
    await admin.patch(resources.pods, target, { type: 'merge', body })
  }
}
