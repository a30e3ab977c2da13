import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { TestProject } from 'vitest/node'

const root = join(import.meta.dirname, '../..')
const script = join(root, 'hack/cluster/cluster')

/** How tests reach a cluster; plain data, because vitest hands it to other processes. */
export interface ClusterAddress {
  readonly kubeconfig: string
  /** Command that runs kubectl against it. */
  readonly kubectl: readonly string[]
  /** Environment of that command. */
  readonly environment: Readonly<Record<string, string>>
  /** Folder for files of tests; it goes with the cluster. */
  readonly scratch: string
}

/** Where the cluster of this test run is and whether `startControlPlane` works here, or why there is none. */
export type ProvidedCluster =
  | { readonly address: ClusterAddress; readonly canStart: boolean }
  | { readonly unavailable: string }

/** Marks what tests leave in a cluster that is not theirs, until the end of the run. */
export const testLabel = 'test.ingressfleet.dev/run'

declare module 'vitest' {
  interface ProvidedContext {
    controlPlane: ProvidedCluster
  }
}

export interface ControlPlane {
  readonly address: ClusterAddress
  /** Runs a command of `hack/cluster/cluster` against it, such as `component stop apiserver`. */
  readonly command: (...arguments_: string[]) => Promise<void>
  readonly stop: () => Promise<void>
}

/** Starts etcd, kube-apiserver and controllers in a directory of their own, with the CRD installed. Takes about 6 s. */
export async function startControlPlane(apiserverFlags = ''): Promise<ControlPlane> {
  const directory = join(tmpdir(), `ingress-fleet-control-plane-${process.pid}-${randomBytes(4).toString('hex')}`)
  const environment = { CLUSTER_DIR: directory }
  const command = (...arguments_: string[]) =>
    clusterCommand(arguments_, { ...environment, CLUSTER_APISERVER_FLAGS: apiserverFlags })
  const stop = () => command('down')
  const scratch = join(directory, 'scratch')
  const kubeconfig = join(directory, 'kubeconfig')
  const address = { kubeconfig, kubectl: [script, 'kubectl'], environment, scratch }
  try {
    // A test run that is killed takes its control plane along.
    await command('up', '--control-plane-only', '--while', String(process.pid))
    await mkdir(scratch)
    await installDefinitions(address)
  } catch (error) {
    await stop()
    throw error
  }
  return { address, command, stop }
}

/** vitest's global set-up: what it returns is the tear-down. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (process.env['USE_EXISTING_CLUSTER'] === 'true') return useExistingCluster(project)
  const missing = await whatIsMissing()
  if (missing !== undefined) {
    const reason = `integration tests are skipped: ${missing}`
    if (process.env['CI'] === 'true') throw new Error(`${reason} (a failure under CI=true)`)
    process.stderr.write(`${reason}\n`)
    project.provide('controlPlane', { unavailable: reason })
    return () => Promise.resolve()
  }
  const controlPlane = await startControlPlane()
  project.provide('controlPlane', { address: controlPlane.address, canStart: true })
  return controlPlane.stop
}

async function useExistingCluster(project: TestProject): Promise<() => Promise<void>> {
  const scratch = await mkdtemp(join(tmpdir(), 'ingress-fleet-integration-'))
  const kubeconfig = process.env['KUBECONFIG'] ?? join(process.env['HOME'] ?? '/', '.kube/config')
  const address = { kubeconfig, kubectl: ['kubectl'], environment: { KUBECONFIG: kubeconfig }, scratch }
  await installDefinitions(address)
  project.provide('controlPlane', { address, canStart: false })
  return async () => {
    const kinds = 'namespaces,clusterroles,clusterrolebindings'
    await runKubectl(address, ['delete', kinds, '--selector', testLabel, '--wait=false'])
    await rm(scratch, { recursive: true })
  }
}

async function installDefinitions(address: ClusterAddress): Promise<void> {
  await runKubectl(address, ['apply', '--server-side', '-f', join(root, 'crds/ingressdeployment.yaml')])
  const definition = 'crd/ingressdeployments.ingressfleet.dev'
  for (let attempt = 1; ; attempt += 1) {
    try {
      await runKubectl(address, ['wait', '--for=condition=Established', definition, '--timeout=30s'])
      return
    } catch (error) {
      // `kubectl wait` fails at once while an object has no conditions at all.
      if (attempt === 20) throw error
      await pause(100)
    }
  }
}

/** Runs kubectl and gives its standard output; throws what it says when it fails. */
export async function runKubectl(address: ClusterAddress, arguments_: readonly string[], stdin = ''): Promise<string> {
  const [program = 'kubectl', ...prefix] = address.kubectl
  const child = spawn(program, [...prefix, ...arguments_], { env: { ...process.env, ...address.environment } })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk))
  child.stdin.end(stdin)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`kubectl ${arguments_.join(' ')}: ${errors.trim()}`)
  return output
}

async function whatIsMissing(): Promise<string | undefined> {
  return clusterCommand(['check'], {}).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
}

/** Progress goes to the terminal as it comes: the first build of the components takes minutes. */
async function clusterCommand(arguments_: readonly string[], environment: Record<string, string>): Promise<void> {
  const child = spawn(script, arguments_, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let output = ''
  child.stderr.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-2000)
    if (arguments_[0] !== 'check') process.stderr.write(chunk)
  })
  // 'exit', not 'close': the components that were started keep descriptors of this pipe's siblings open.
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', resolve)
  })
  child.stderr.destroy()
  if (code !== 0) throw new Error(output.trim() || `cluster ${arguments_.join(' ')} ended with ${code}`)
}
