/**
 * Set-up of all e2e tests: a real cluster with one node, our image and the echo application on it, the operator deployed
 * as users do (`kubectl apply -k config/default`). Everything is taken down at the end, also after an interrupt.
 *
 * `USE_EXISTING_CLUSTER=true` uses the cluster of the current kubeconfig instead. Its nodes must hold the images
 * `localhost/ingress-fleet:dev` (dist/image.tar) and `localhost/ingress-fleet-echo:dev` (dist/e2e/echo.tar).
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
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

export function setup(project: TestProject): () => void {
  const existing = process.env['USE_EXISTING_CLUSTER'] === 'true'
  const directory = resolve('.cluster-e2e')
  const script = resolve('hack/cluster/cluster')
  const access: ClusterAccess = existing
    ? { kubectl: ['kubectl'], outside: [], onNode: undefined }
    : { kubectl: [script, 'kubectl'], outside: [script, 'exec'], onNode: [script, 'node', 'exec', '1'] }

  // Test processes inherit these: which cluster, and where kubectl finds its plugin `igd`, linked by the build.
  if (!existing) process.env['CLUSTER_DIR'] = directory
  process.env['PATH'] = [resolve('node_modules/.bin'), process.env['PATH']].join(delimiter)
  buildImages()
  const teardown = (): void => {
    keepLogs(access)
    if (existing) spawnSync('kubectl', ['delete', '-k', 'config/default', '--ignore-not-found', '--wait=false'])
    else run(script, 'down')
  }
  try {
    if (!existing) startCluster(script)
    deployOperator(access)
  } catch (error) {
    teardown()
    throw error
  }
  project.provide('e2eCluster', access)
  return teardown
}

function startCluster(script: string): void {
  run(script, 'down') // of a run that was interrupted
  run(script, 'up', '--while', String(process.pid))
  run(script, 'image', 'load', 'dist/image.tar')
  run(script, 'image', 'build', echoImage, 'dist/e2e/echo')
}

function deployOperator(access: ClusterAccess): void {
  kubectl(access, 'apply', '-k', 'config/default')
  kubectl(access, 'rollout', 'status', '-n', operatorNamespace, `deployment/${operatorDeployment}`, '--timeout=90s')
}

function buildImages(): void {
  if (imageIsStale()) run('hack/image')
  const work = resolve('dist/e2e')
  mkdirSync(work, { recursive: true })
  execFileSync('go', ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', join(work, 'echo'), '.'], {
    cwd: 'test/e2e/apps/echo',
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: 'inherit',
  })
}

function imageIsStale(): boolean {
  if (!existsSync('dist/image.tar')) return true
  const built = statSync('dist/image.tar').mtimeMs
  const parts = ['Dockerfile', ...readdirSync('dist').map(file => join('dist', file))].filter(file =>
    /Dockerfile|\.js$/.test(file),
  )
  return parts.some(file => statSync(file).mtimeMs > built)
}

/** What a failed run leaves to read: Events, and the logs of the operator and of all proxies. */
function keepLogs(access: ClusterAccess): void {
  rmSync(logDirectory, { recursive: true, force: true })
  mkdirSync(logDirectory, { recursive: true })
  const reports: Record<string, readonly string[]> = {
    'events.txt': ['get', 'events', '-A', '--sort-by=.lastTimestamp'],
    'objects.txt': ['get', 'igd,ingress,deployment,pod,service,endpointslice', '-A', '-o', 'wide'],
    'operator.log': ['logs', '-n', operatorNamespace, `deployment/${operatorDeployment}`, '--tail=-1'],
  }
  for (const [file, args] of Object.entries(reports)) {
    const [command = '', ...before] = access.kubectl
    const result = spawnSync(command, [...before, ...args], { encoding: 'utf8', timeout: 20_000 })
    writeFileSync(join(logDirectory, file), result.stdout + result.stderr)
  }
}

function kubectl(access: ClusterAccess, ...args: readonly string[]): void {
  const [command = '', ...before] = access.kubectl
  run(command, ...before, ...args)
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
}
