import type { Command } from 'commander'
import type { Problem } from '../../api/problem.ts'
import { dashboardRoutes } from '../../dashboard/routes.ts'
import {
  describeProblem,
  describeTable,
  type ProblemDocument,
  type TableDocument,
} from '../../dashboard/table-document.ts'
import { AdminServer } from '../../observe/admin-server.ts'
import { createLog, type Log } from '../../observe/log.ts'
import { FilesSource } from '../../sources/files.ts'
import type { FileProblem } from '../../sources/parse-manifests.ts'
import { CommandError, reasonOf } from '../command-error.ts'
import type { CommandContext } from '../commands.ts'
import { logLevelOf } from '../log-level.ts'
import { namespacedName, portNumber, secondCount, workerCount } from '../option-values.ts'
import { ProxyRuntime } from '../proxy-runtime.ts'
import type { ServeConfiguration } from '../serve-configuration.ts'
import { ServeSource } from '../serve-source.ts'
import { shutdownAsked } from '../shutdown.ts'

interface ServeOptions {
  readonly filename: string
  readonly address: string
  readonly httpPort: number
  readonly httpsPort: number
  readonly adminPort: number
  readonly ingressClass?: string
  readonly configmap?: { readonly namespace: string; readonly name: string }
  readonly workers?: number
  readonly zone?: string
  readonly lameDuck: number
  readonly ticketKeyFile?: string
}

const graceMs = 10_000

export function define(command: Command, context: CommandContext): void {
  command
    .requiredOption('-f, --filename <dir>', 'folder of YAML, read with the folders in it and followed')
    .option('--address <address>', 'where to listen', '127.0.0.1')
    .option('--http-port <port>', 'port for plain HTTP, 0 for a free one', portNumber, 8080)
    .option('--https-port <port>', 'port for HTTPS, 0 for a free one', portNumber, 8443)
    .option('--admin-port <port>', 'port for /readyz, /metrics and the dashboard, 0 for a free one', portNumber, 10_254)
    .option('--ingress-class <name>', 'serve this class, instead of that of the IngressDeployment in the folder')
    .option('--configmap <namespace/name>', 'ConfigMap of the folder with keys of ingress-nginx', namespacedName)
    .option('--ticket-key-file <path>', 'keys of TLS session tickets (48 octets) that several of these share')
    .option('--workers <number>', 'data workers, instead of one per processor', workerCount)
    .option('--zone <zone>', 'zone of this proxy: endpoints with a hint for it come first')
    .option(
      '--lame-duck <seconds>',
      'how long to go on accepting after SIGTERM, behind a load balancer that must notice first',
      secondCount,
      // On a laptop nobody needs to notice that we leave, and Ctrl-C is not patient.
      0,
    )
    .action(async (options: ServeOptions) => {
      await new Serving(options, context).run()
    })
}

class Serving {
  readonly #options: ServeOptions
  readonly #context: CommandContext
  readonly #log: Log
  readonly #runtime: ProxyRuntime
  readonly #source: ServeSource
  #configuration: ServeConfiguration | undefined
  #fileProblems: readonly FileProblem[] = []
  #instanceProblems: readonly Problem[] = []

  constructor(options: ServeOptions, context: CommandContext) {
    this.#options = options
    this.#context = context
    this.#log = createLog({ level: logLevelOf(context.environment) })
    const { address, httpPort, httpsPort, workers, ticketKeyFile } = options
    this.#runtime = new ProxyRuntime({
      log: this.#log,
      address,
      httpPort,
      httpsPort,
      workers,
      ticketKeyFile,
      allowLoopbackEndpoints: true,
    })
    this.#source = this.#createSource()
  }

  async run(): Promise<void> {
    const asked = shutdownAsked(this.#log)
    const admin = this.#createAdmin()
    try {
      await admin.start()
      const ports = await this.#runtime.start(this.#source)
      this.#printAddresses(ports, admin.describe())
    } catch (error) {
      await Promise.allSettled([this.#runtime.stop({ lameDuckMs: 0, graceMs: 0 }), admin.close()])
      throw new CommandError(`serving ${this.#options.filename}: ${reasonOf(error)}`, { cause: error })
    }
    await asked
    await this.#runtime.stop({ lameDuckMs: this.#options.lameDuck * 1_000, graceMs })
    await admin.close()
    process.disconnect?.()
  }

  #createSource(): ServeSource {
    const log = this.#log
    const files = new FilesSource({
      folder: this.#options.filename,
      onIngressDeployments: deployments => this.#source.setIngressDeployments(deployments),
      onProblems: problems => this.#tellFileProblems(problems),
      onIgnored: (file, kind) => log.debug({ file, kind }, 'object of a kind that is not read'),
    })
    return new ServeSource({
      files,
      flags: { ingressClass: this.#options.ingressClass, configMap: this.#options.configmap },
      onConfiguration: configuration => this.#configure(configuration),
      onProblems: problems => this.#tellInstanceProblems(problems),
      onError: error => log.error({ error: reasonOf(error) }, 'configuration could not be decided, the last one stays'),
    })
  }

  #configure(configuration: ServeConfiguration): void {
    this.#configuration = configuration
    this.#log.info(
      { ingressClass: configuration.translator.ingressClass.name, choice: configuration.choice },
      'class chosen',
    )
    this.#runtime.configure({ ...configuration.translator, zone: this.#options.zone })
  }

  #tellFileProblems(problems: readonly FileProblem[]): void {
    const known = new Set(this.#fileProblems.map(problem => JSON.stringify(problem)))
    for (const { file, line, column, message } of problems.filter(one => !known.has(JSON.stringify(one)))) {
      this.#log.warn({ file, line, column, problem: message }, 'file refused, what it held last stays')
    }
    const left = new Set(problems.map(({ file }) => file))
    for (const file of new Set(this.#fileProblems.map(one => one.file))) {
      if (!left.has(file)) this.#log.info({ file }, 'file is right again')
    }
    this.#fileProblems = problems
  }

  #tellInstanceProblems(problems: readonly Problem[]): void {
    const known = new Set(this.#instanceProblems.map(problem => JSON.stringify(problem)))
    for (const { object, field, reason, message } of problems.filter(one => !known.has(JSON.stringify(one)))) {
      const { kind, namespace, name } = object
      this.#log.warn({ kind, namespace, name, field, reason, problem: message }, 'configuration refused in part')
    }
    this.#instanceProblems = problems
  }

  #createAdmin(): AdminServer {
    const { address, adminPort: port } = this.#options
    const isLoopback = address === 'localhost' || address === '::1' || address.startsWith('127.')
    return new AdminServer({
      listen: { address, port },
      ready: () => this.#runtime.ready,
      metrics: () => this.#runtime.metrics(),
      routes: isLoopback ? dashboardRoutes(() => this.#describe()) : {},
    })
  }

  #describe(): TableDocument {
    const { deployment, translator } = this.#configuration ?? {}
    return {
      instance: deployment === undefined ? undefined : `${deployment.metadata.namespace}/${deployment.metadata.name}`,
      ingressClass: translator?.ingressClass.name ?? '',
      servedRevision: this.#runtime.proxy?.servedRevision ?? 0,
      ...describeTable(this.#runtime.table),
      problems: [
        ...this.#fileProblems.map(describeFileProblem),
        ...[...this.#instanceProblems, ...this.#runtime.problems()].map(describeProblem),
      ],
    }
  }

  #printAddresses(ports: { readonly httpPort: number; readonly httpsPort: number }, admin: string): void {
    const { address, filename } = this.#options
    const host = address.includes(':') ? `[${address}]` : address
    this.#context.print(`serving ${filename}, Ctrl-C ends it
HTTP       http://${host}:${ports.httpPort}
HTTPS      https://${host}:${ports.httpsPort}
dashboard  ${admin}/
`)
  }
}

function describeFileProblem({ file, line, column, message }: FileProblem): ProblemDocument {
  return { where: `${file}:${line}:${column}`, field: '', reason: 'InvalidFile', message }
}
