import { execFile, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import type { KubernetesObject } from '../../src/api/kubernetes.ts'

const execute = promisify(execFile)
const maxBuffer = 64 * 1024 * 1024

async function runCommand(commandLine: readonly string[], input = ''): Promise<string> {
  const [command = '', ...args] = commandLine
  const running = execute(command, args, { maxBuffer })
  running.child.stdin?.end(input)
  return (await running).stdout
}

/** Standard output of kubectl; rejects with its standard error when it fails. */
export function kubectl(...args: readonly string[]): Promise<string> {
  return runCommand([...inject('e2eCluster').kubectl, ...args])
}

/** Standard output of a command on the node. */
export function onNode(...args: readonly string[]): Promise<string> {
  const { onNode: prefix } = inject('e2eCluster')
  if (!prefix) throw new Error('commands on a node need the cluster of hack/cluster')
  return runCommand([...prefix, ...args])
}

export async function getObject<T extends KubernetesObject>(...args: readonly string[]): Promise<T> {
  return JSON.parse(await kubectl('get', ...args, '-o', 'json')) as T
}

export async function listObjects<T extends KubernetesObject>(...args: readonly string[]): Promise<readonly T[]> {
  return (JSON.parse(await kubectl('get', ...args, '-o', 'json')) as { readonly items: readonly T[] }).items
}

export async function apply(...objects: readonly object[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects }
  await runCommand([...inject('e2eCluster').kubectl, 'apply', '-f', '-'], JSON.stringify(list))
}

/** Notes when each pod of a selector is first seen to be Ready. Stop it at the end. */
export class ReadinessWatch {
  /** Milliseconds since the epoch by name of the pod. */
  readonly readyMs = new Map<string, number>()
  private readonly child

  constructor(namespace: string, selector: string) {
    const [command = '', ...before] = inject('e2eCluster').kubectl
    const format = '{.metadata.name}{"\\t"}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}'
    const args = [...before, 'get', 'pods', '-n', namespace, '-l', selector, '--watch', '-o', `jsonpath=${format}`]
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
    createInterface({ input: this.child.stdout }).on('line', line => {
      const [pod = '', ready] = line.split('\t')
      if (ready === 'True' && !this.readyMs.has(pod)) this.readyMs.set(pod, Date.now())
    })
  }

  stop(): void {
    // The whole group: kubectl is a grandchild of the cluster script.
    if (this.child.pid !== undefined) process.kill(-this.child.pid, 'SIGTERM')
  }
}
