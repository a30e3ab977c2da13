/**
 * Set-up of all e2e tests: a real cluster with one node, our image and the echo application on it, the operator deployed
 * as users do (`kubectl apply -k config/default`). Everything is taken down at the end, also after an interrupt.
 *
 * `USE_EXISTING_CLUSTER=true` uses the cluster of the current kubeconfig instead. Its nodes must hold the images
 * `localhost/ingress-fleet:dev` (dist/image.tar) and `localhost/ingress-fleet-echo:dev` (dist/e2e/echo.tar).
 */
import { type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** How tests reach the cluster. */
    readonly e2eCluster: ClusterAccess
  }
}

export interface ClusterAccess {
  /** The command line of kubectl. */
  readonly kubectl: readonly string[]
  /** What goes before a command so that it runs as a client outside the nodes. */
  readonly outside: readonly string[]
  /** What goes before a command so that it runs on the node; absent on an existing cluster. */
  readonly onNode: readonly string[] | undefined
}

export const operatorNamespace = 'ingress-fleet-system'
export const operatorDeployment = 'ingress-fleet-controller-manager'
const echoImage = 'localhost/ingress-fleet-echo:dev'
const logDirectory = 'dist/e2e/logs'

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const existing = process.env['USE_EXISTING_CLUSTER'] === 'true'
  const directory = resolve('.cluster-e2e')
  const script = resolve('hack/cluster/cluster')
  const access: ClusterAccess = existing
    ? { kubectl: ['kubectl'], outside: [], onNode: undefined }
    : { kubectl: [script, 'kubectl'], outside: [script, 'exec'], onNode: [script, 'node', 'exec', '1'] }

  // Test processes inherit these: which cluster, and where kubectl finds its plugin `igd`, linked by the build.
  if (!existing) process.env['CLUSTER_DIR'] = directory
  process.env['PATH'] = [resolve('node_modules/.bin'), process.env['PATH']].join(delimiter)
  await buildImages()
  const teardown = async (): Promise<void> => {
    await keepLogs(access)
    await (existing ? removeOperator() : run([script, 'down']))
  }
  try {
    if (!existing) await startCluster(script)
    await deployOperator(access)
  } catch (error) {
    await teardown()
    throw error
  }
  project.provide('e2eCluster', access)
  return teardown
}

async function startCluster(script: string): Promise<void> {
  await run([script, 'down']) // of a run that was interrupted
  await run([script, 'up', '--while', String(process.pid)])
  await run([script, 'image', 'load', 'dist/image.tar'])
  await run([script, 'image', 'build', echoImage, 'dist/e2e/echo'])
}

async function deployOperator({ kubectl }: ClusterAccess): Promise<void> {
  await run([...kubectl, 'apply', '-k', 'config/default'])
  const deployment = ['-n', operatorNamespace, `deployment/${operatorDeployment}`]
  await run([...kubectl, 'rollout', 'status', ...deployment, '--timeout=90s'])
}

async function buildImages(): Promise<void> {
  if (imageIsStale()) await run(['hack/image'])
  mkdirSync('dist/e2e', { recursive: true })
  await run(['go', 'build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', resolve('dist/e2e/echo'), '.'], {
    cwd: 'test/e2e/apps/echo',
    env: { ...process.env, CGO_ENABLED: '0' },
  })
}

function imageIsStale(): boolean {
  if (!existsSync('dist/image.tar')) return true
  const built = statSync('dist/image.tar').mtimeMs
  const bundle = readdirSync('dist').filter(file => file.endsWith('.js'))
  return ['Dockerfile', ...bundle.map(file => join('dist', file))].some(file => statSync(file).mtimeMs > built)
}

/** Instances first, while the operator is there to clean up after them. */
async function removeOperator(): Promise<void> {
  await run(['kubectl', 'delete', 'ingressdeployments', '--all', '--all-namespaces', '--timeout=90s'])
  await run(['kubectl', 'delete', '-k', 'config/default', '--ignore-not-found', '--timeout=90s'])
}

/** What a failed run leaves to read: Events, objects, and the logs of the operator. */
async function keepLogs({ kubectl }: ClusterAccess): Promise<void> {
  rmSync(logDirectory, { recursive: true, force: true })
  mkdirSync(logDirectory, { recursive: true })
  const reports: Record<string, readonly string[]> = {
    'events.txt': ['get', 'events', '-A', '--sort-by=.lastTimestamp'],
    'objects.txt': ['get', 'igd,ingress,deployment,pod,service,endpointslice', '-A', '-o', 'wide'],
    'operator.log': ['logs', '-n', operatorNamespace, `deployment/${operatorDeployment}`, '--tail=-1'],
  }
  for (const [file, args] of Object.entries(reports)) {
    const output = openSync(join(logDirectory, file), 'w')
    await run([...kubectl, '--request-timeout=20s', ...args], { stdio: ['ignore', output, output] }).catch(
      () => undefined,
    )
    closeSync(output)
  }
}

/** Not in the way of the event loop, which vitest needs to end its workers. */
async function run(commandLine: readonly string[], options: SpawnOptions = {}): Promise<void> {
  const [command = '', ...args] = commandLine
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options })
  const [status] = (await once(child, 'close')) as [number | null]
  if (status !== 0) throw new Error(`${commandLine.join(' ')}: ended with status ${status}`)
}
