import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { container } from '../../api/names.ts'
import { KubeClient } from '../../kube/client.ts'
import { type ClusterAccess, loadClusterAccess } from '../../kube/credentials.ts'
import { execInPod } from '../../kube/exec.ts'
import { createLog } from '../../observe/log.ts'
import type { HeldBackend } from '../../proxy/worker-protocol.ts'
import { formatBackends, type OutputFormat, outputFormats, type PodBackends } from '../backends-report.ts'
import { CommandError } from '../command-error.ts'
import type { CommandContext } from '../commands.ts'
import { clusterAccessOptions, type Environment } from '../environment.ts'
import { findProxyPods, type ProxyPod } from '../find-proxy-pods.ts'
import { version } from '../version.ts'

interface BackendsOptions {
  readonly namespace?: string
  readonly kubeconfig?: string
  readonly context?: string
  readonly output: OutputFormat
  readonly pod?: string
}

export function define(command: Command, context: CommandContext): void {
  command
    .command('backends <name>')
    .description("backends and endpoints that an IngressDeployment's proxies hold in memory")
    .option('-n, --namespace <namespace>', "namespace; the context's when absent")
    .option('--kubeconfig <path>', 'kubeconfig; KUBECONFIG or ~/.kube/config when absent')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--pod <name>', 'ask this pod only')
    .addOption(new Option('-o, --output <format>', 'form of the output').choices(outputFormats).default('table'))
    .action(async (name: string, options: BackendsOptions) => {
      await showBackends(name, options, context)
    })
}

async function showBackends(name: string, options: BackendsOptions, context: CommandContext): Promise<void> {
  const access = await accessOf(options, context.environment)
  const client = new KubeClient(access, { log: createLog({ level: 'silent' }), userAgent: `kubectl-igd/${version}` })
  try {
    const namespace = options.namespace ?? access.namespace
    const pods = choosePods(await findProxyPods(client, { namespace, name }), options.pod, `${namespace}/${name}`)
    const answers = await Promise.allSettled(pods.map(pod => ask(access, namespace, pod.name)))
    const given = answers.flatMap(answer => (answer.status === 'fulfilled' ? [answer.value] : []))
    context.print(formatBackends(given, options.output, options.pod !== undefined))
    const failures = answers.flatMap(answer => (answer.status === 'rejected' ? [String(answer.reason)] : []))
    if (failures.length > 0) throw new CommandError(failures.join('\n'))
  } finally {
    await client.close()
  }
}

async function ask(access: ClusterAccess, namespace: string, pod: string): Promise<PodBackends> {
  const output = await execInPod(access, { namespace, pod, container, command: ['/dbg', 'backends', 'all'] })
  return { pod, backends: JSON.parse(output) as HeldBackend[] }
}

function choosePods(pods: readonly ProxyPod[], asked: string | undefined, instance: string): readonly ProxyPod[] {
  if (pods.length === 0) {
    throw new CommandError(
      `IngressDeployment ${instance} has no pods; \`kubectl get igd -A\` shows the names there are`,
    )
  }
  if (asked !== undefined) {
    const pod = pods.find(({ name }) => name === asked)
    if (pod !== undefined) return [pod]
    throw new CommandError(`pod ${asked} is not one of ${instance}: ${pods.map(({ name }) => name).join(', ')}`)
  }
  const ready = pods.filter(pod => pod.ready)
  if (ready.length > 0) return ready
  throw new CommandError(`none of the ${pods.length} pods of ${instance} is ready; --pod NAME asks one all the same`)
}

/** As kubectl: the flag, then KUBECONFIG, then the file in the home directory, then the pod's ServiceAccount. */
async function accessOf(options: BackendsOptions, environment: Environment): Promise<ClusterAccess> {
  const inHome = environment.homeDirectory === undefined ? '' : join(environment.homeDirectory, '.kube', 'config')
  const kubeconfig = options.kubeconfig ?? environment.kubeconfig ?? (existsSync(inHome) ? inHome : undefined)
  return loadClusterAccess({
    ...clusterAccessOptions({ ...environment, kubeconfig }),
    ...(options.context === undefined ? {} : { context: options.context }),
  })
}
