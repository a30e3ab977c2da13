import { createServer } from 'node:net'
import type { Command } from 'commander'
import { adminSocket, type InstanceName, podPorts, sessionTicketDirectory, sessionTicketKeys } from '../../api/names.ts'
import type { InstanceConfiguration } from '../../api/settings.ts'
import { checkAuthorities } from '../../certificates/check-authorities.ts'
import { KubeClient } from '../../kube/client.ts'
import { loadClusterAccess } from '../../kube/credentials.ts'
import { AdminServer } from '../../observe/admin-server.ts'
import { createLog, type Log } from '../../observe/log.ts'
import { instanceTranslatorOptions } from '../../routing/instance-translator-options.ts'
import type { TranslatorOptions } from '../../routing/translator.ts'
import { KubernetesSource } from '../../sources/kubernetes.ts'
import { CommandError, reasonOf } from '../command-error.ts'
import type { CommandContext } from '../commands.ts'
import { clusterAccessOptions, type Environment } from '../environment.ts'
import { inspectionRoutes } from '../inspection-routes.ts'
import { checkKeyPairNow } from '../key-pair-check.ts'
import { logLevelOf } from '../log-level.ts'
import { portNumber } from '../option-values.ts'
import { ProxyRuntime } from '../proxy-runtime.ts'
import { shutdownAsked } from '../shutdown.ts'
import { version } from '../version.ts'

interface ProxyOptions {
  readonly address?: string
  readonly httpPort: number
  readonly httpsPort: number
  readonly metricsPort: number
  readonly adminSocket: string
  readonly zone?: string
  readonly ticketKeyFile: string
}

/** Until load balancers and kube-proxies have taken the pod out, new connections come and are served. */
const lameDuckMs = 5000

/** Of the time that Kubernetes gives, this much is left for the end of the process itself. */
const marginMs = 3000

const defaultGraceSeconds = 90

const defaultTicketKeyFile = `${sessionTicketDirectory}/${sessionTicketKeys.key}`

export function define(command: Command, { environment }: CommandContext): void {
  command
    .option('--address <address>', 'where to listen; every address of the pod when absent')
    .option('--http-port <port>', 'port for plain HTTP', portNumber, podPorts.http)
    .option('--https-port <port>', 'port for HTTPS', portNumber, podPorts.https)
    .option('--metrics-port <port>', 'port for /healthz, /readyz and /metrics', portNumber, podPorts.metrics)
    .option('--admin-socket <path>', 'unix socket for what only the pod itself may ask', adminSocket)
    .option('--zone <zone>', 'zone of this proxy, whose endpoints come first; the variable ZONE when absent')
    .option('--ticket-key-file <path>', 'keys of TLS session tickets that all replicas share', defaultTicketKeyFile)
    .action(async (options: ProxyOptions) => {
      const log = createLog({ level: logLevelOf(environment) })
      await runProxy({ options, environment, log, instance: instanceOf(environment) })
    })
}

interface Run {
  readonly options: ProxyOptions
  readonly environment: Environment
  readonly log: Log
  readonly instance: InstanceName
}

async function runProxy({ options, environment, log, instance }: Run): Promise<void> {
  const asked = shutdownAsked(log)
  const address = options.address ?? (await anyAddress())
  const { httpPort, httpsPort, ticketKeyFile } = options
  const { requestedProcessors } = environment
  const runtime = new ProxyRuntime({
    log,
    address,
    httpPort,
    httpsPort,
    ticketKeyFile,
    requestedProcessors,
    allowLoopbackEndpoints: false,
  })
  const access = await loadClusterAccess(clusterAccessOptions(environment))
  const client = new KubeClient(access, { log, userAgent: `ingress-fleet-proxy/${version}` })
  let drainMs = 0
  const source = new KubernetesSource({
    client,
    log,
    instance,
    onConfiguration: configuration => {
      drainMs = configuration.settings.timeouts.drainMs
      runtime.configure({ ...translatorOptions(configuration), zone: options.zone ?? environment.zone })
    },
  })
  const admins = createAdmins({ address, options, runtime, instance })
  const leave = async (times: { readonly lameDuckMs: number; readonly graceMs: number }): Promise<void> => {
    await runtime.stop(times)
    await Promise.all([...admins.map(admin => admin.close()), client.close()])
  }
  try {
    // One after another: none may begin to listen after the others were closed.
    for (const admin of admins) await admin.start()
    // Told to go before the cluster has answered: there is nothing to drain.
    await Promise.race([runtime.start(source), asked])
  } catch (error) {
    await leave({ lameDuckMs: 0, graceMs: 0 })
    throw new CommandError(`proxy of ${instance.namespace}/${instance.name}: ${reasonOf(error)}`, { cause: error })
  }
  await asked
  const graceSeconds = environment.terminationGraceSeconds ?? defaultGraceSeconds
  const graceMs = Math.max(1000, Math.min(drainMs, graceSeconds * 1000 - lameDuckMs - marginMs))
  await leave({ lameDuckMs: runtime.ready ? lameDuckMs : 0, graceMs })
}

function createAdmins(context: {
  readonly address: string
  readonly options: ProxyOptions
  readonly runtime: ProxyRuntime
  readonly instance: InstanceName
}): readonly AdminServer[] {
  const { address, options, runtime, instance } = context
  const ready = (): boolean => runtime.ready
  const metrics = (): Promise<string> => runtime.metrics()
  const routes = inspectionRoutes(runtime, instance)
  return [
    new AdminServer({ listen: { address, port: options.metricsPort }, ready, metrics }),
    new AdminServer({ listen: { socketPath: options.adminSocket }, ready, metrics, routes }),
  ]
}

function translatorOptions(configuration: InstanceConfiguration): TranslatorOptions {
  const { instance, defaultCertificateSecretName: name } = configuration
  return instanceTranslatorOptions(configuration, {
    defaultCertificate: { namespace: instance.namespace, name },
    checkKeyPair: checkKeyPairNow,
    checkAuthorities,
  })
}

function instanceOf({ podNamespace, instanceName }: Environment): InstanceName {
  if (podNamespace !== undefined && instanceName !== undefined) return { namespace: podNamespace, name: instanceName }
  throw new CommandError(
    'POD_NAMESPACE and INSTANCE_NAME must be set: `proxy` runs in a pod that the operator made; on a laptop use `serve`',
  )
}

/** `::` takes IPv4 too, where the node has IPv6 at all. */
async function anyAddress(): Promise<string> {
  return new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve('0.0.0.0'))
    probe.listen(0, '::', () => {
      probe.close(() => resolve('::'))
    })
  })
}
