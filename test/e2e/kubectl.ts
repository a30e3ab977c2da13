import { type ChildProcess, execFile, spawn } from 'node:child_process'
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

/** When each pod was first seen to be ready, in milliseconds since the epoch by its name. Stop it at the end. */
export class ReadinessWatch {
  /** By the pods themselves. */
  readonly podsMs = new Map<string, number>()
  /** By the EndpointSlices of their Service, which Kubernetes writes up to a second later. */
  readonly endpointsMs = new Map<string, number>()
  private readonly children: readonly ChildProcess[]

  constructor(namespace: string, app: string) {
    const ofPod =
      '{{.metadata.name}}{{range .status.conditions}}{{if eq .type "Ready"}}={{.status}}{{end}}{{end}}{{"\\n"}}'
    const ofSlice = '{{range .endpoints}}{{.targetRef.name}}={{.conditions.ready}} {{end}}{{"\\n"}}'
    const slices = ['endpointslices', '-l', `kubernetes.io/service-name=${app}`, '-o', `go-template=${ofSlice}`]
    const pods = ['pods', '-l', `app=${app}`, '-o', `go-template=${ofPod}`]
    this.children = [
      watchWords(['-n', namespace, ...pods], note('True', this.podsMs)),
      watchWords(['-n', namespace, ...slices], note('true', this.endpointsMs)),
    ]
  }

  stop(): void {
    // Whole groups: kubectl is a grandchild of the cluster script.
    for (const { pid } of this.children) if (pid !== undefined) process.kill(-pid, 'SIGTERM')
  }
}

function note(ready: string, into: Map<string, number>): (word: string) => void {
  return word => {
    const [pod = '', state] = word.split('=')
    if (state === ready && !into.has(pod)) into.set(pod, Date.now())
  }
}

function watchWords(args: readonly string[], seen: (word: string) => void): ChildProcess {
  const [command = '', ...before] = inject('e2eCluster').kubectl
  const child = spawn(command, [...before, 'get', '--watch', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  createInterface({ input: child.stdout }).on('line', line => {
    for (const word of line.split(' ')) seen(word)
  })
  return child
}
