import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Command } from 'commander'
import { KubeClient } from '../../kube/client.ts'
import { loadClusterAccess } from '../../kube/credentials.ts'
import { AdminServer } from '../../observe/admin-server.ts'
import { createLog, type Log } from '../../observe/log.ts'
import { type RunningOperator, startOperator } from '../../operator/operator.ts'
import type { CommandContext } from '../commands.ts'
import { clusterAccessOptions, type Environment } from '../environment.ts'
import { logLevelOf } from '../log-level.ts'
import { createOperatorMetrics } from '../operator-metrics.ts'
import { type BindAddress, bindAddress, trueOrFalse } from '../option-values.ts'
import { shutdownAsked } from '../shutdown.ts'
import { version } from '../version.ts'

interface OperatorOptions {
  readonly leaderElect: boolean
  readonly metricsBindAddress: BindAddress
  readonly healthProbeBindAddress: BindAddress
  readonly proxyImage?: string
  readonly namespace?: string
  readonly kubeconfig?: string
}

/** What a person who runs the operator out of a cluster stands for: the ServiceAccount of config/manager. */
const installedServiceAccount = { namespace: 'ingress-fleet-system', name: 'ingress-fleet-controller-manager' }

export function define(command: Command, { environment }: CommandContext): void {
  command
    .option('--leader-elect [boolean]', 'act only while holding the Lease, so that several may run', trueOrFalse, true)
    .option(
      '--metrics-bind-address <address>',
      'where /metrics listens, 0 for nowhere',
      bindAddress,
      bindAddress(':8080'),
    )
    .option(
      '--health-probe-bind-address <address>',
      'where /healthz and /readyz listen, 0 for nowhere',
      bindAddress,
      bindAddress(':8081'),
    )
    .option('--proxy-image <image>', 'image of proxies where an IngressDeployment names none; PROXY_IMAGE when absent')
    .option('--namespace <namespace>', "namespace of the Lease; the pod's, or the context's, when absent")
    .option('--kubeconfig <path>', 'kubeconfig; KUBECONFIG when absent, and then the ServiceAccount of the pod')
    .action(async (options: OperatorOptions) => {
      await runOperator(options, environment, createLog({ level: logLevelOf(environment) }))
    })
}

async function runOperator(options: OperatorOptions, environment: Environment, log: Log): Promise<void> {
  const asked = shutdownAsked(log)
  const { kubeconfig = environment.kubeconfig } = options
  const access = await loadClusterAccess(clusterAccessOptions({ ...environment, kubeconfig }))
  const client = new KubeClient(access, { log, userAgent: `ingress-fleet-operator/${version}` })
  const operator = startOperator({
    client,
    log,
    image: options.proxyImage ?? environment.proxyImage ?? `ingress-fleet:${version}`,
    namespace: options.namespace ?? environment.podNamespace ?? client.namespace,
    identity: `${environment.podName ?? hostname()}_${randomBytes(4).toString('hex')}`,
    serviceAccount: await ownServiceAccount(client, log),
    leaderElection: options.leaderElect,
  })
  const admins = createAdmins(options, operator, client)
  try {
    // One after another: none may begin to listen after the others were closed.
    for (const admin of admins) await admin.start()
    // Rejects when the leadership is lost: the process ends, and another one takes over.
    await Promise.race([asked, operator.stopped])
  } finally {
    await operator.stop()
    await Promise.all([...admins.map(admin => admin.close()), client.close()])
  }
}

function createAdmins(options: OperatorOptions, operator: RunningOperator, client: KubeClient): readonly AdminServer[] {
  const ready = (): boolean => operator.isReady
  const { healthProbeBindAddress: health, metricsBindAddress: metrics } = options
  const registry = createOperatorMetrics(operator, client)
  return [
    ...(health === 'nowhere' ? [] : [new AdminServer({ listen: health, ready })]),
    ...(metrics === 'nowhere'
      ? []
      : [new AdminServer({ listen: metrics, ready, metrics: () => registry.exposition() })]),
  ]
}

/**
 * Asks the API server who we are.
 * https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/self-subject-review-v1/
 */
async function ownServiceAccount(client: KubeClient, log: Log): Promise<{ namespace: string; name: string }> {
  const apiVersion = 'authentication.k8s.io/v1'
  try {
    const review = await client.request<{ status?: { userInfo?: { username?: string } } }>({
      method: 'POST',
      path: `/apis/${apiVersion}/selfsubjectreviews`,
      body: { apiVersion, kind: 'SelfSubjectReview' },
      repeatable: true,
    })
    const [, , namespace, name] = (review.status?.userInfo?.username ?? '').split(':')
    if (namespace !== undefined && name !== undefined) return { namespace, name }
  } catch (error) {
    log.warn({ error: String(error) }, 'own identity is not known, the installed ServiceAccount is taken for it')
  }
  return installedServiceAccount
}
