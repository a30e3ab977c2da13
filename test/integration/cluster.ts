import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, inject } from 'vitest'
import { type ClusterAddress, runKubectl, testLabel } from './control-plane.ts'

/** One rule of a Role, as in rbac.authorization.k8s.io/v1. */
export interface PolicyRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly resourceNames?: readonly string[]
}

export interface ServiceAccountAccess {
  readonly namespace: string
  readonly name: string
  /** Granted in `namespace`. */
  readonly rules?: readonly PolicyRule[]
  /** Granted in the whole cluster. */
  readonly clusterRules?: readonly PolicyRule[]
  /** Existing ClusterRoles bound in the whole cluster. */
  readonly clusterRoles?: readonly string[]
}

/** A cluster as tests use it. */
export interface TestCluster {
  readonly kubeconfig: string
  /** Folder for files of tests; it goes with the cluster. */
  readonly scratch: string
  /** Runs kubectl and gives its standard output; throws what it says when it fails. */
  kubectl(arguments_: readonly string[], stdin?: string): Promise<string>
  /** `kubectl apply` of objects or YAML. */
  apply(manifest: object | string): Promise<string>
  /** Makes a namespace that no other test has and gives its name. */
  createNamespace(labels?: Readonly<Record<string, string>>): Promise<string>
  /** Makes a ServiceAccount that may do what is given, and gives the path of a kubeconfig with its token. */
  serviceAccountKubeconfig(access: ServiceAccountAccess): Promise<string>
  /** The path of a kubeconfig with a new token of a ServiceAccount that there is. */
  tokenKubeconfig(account: Pick<ServiceAccountAccess, 'namespace' | 'name'>): Promise<string>
}

const provided = inject('controlPlane')

/** `describe` for tests that need the API server: skipped where there is none; the global set-up has said why. */
export const describeOnCluster = 'address' in provided ? describe : describe.skip

/** `describe` for tests that start a control plane of their own, to break it. */
export const describeOnOwnControlPlane = 'address' in provided && provided.canStart ? describe : describe.skip

/** The cluster that all test files share: keep to objects and namespaces of your own. */
export function sharedCluster(): TestCluster {
  if ('unavailable' in provided) throw new Error(provided.unavailable)
  return testCluster(provided.address)
}

export function testCluster(address: ClusterAddress): TestCluster {
  const kubectl = (arguments_: readonly string[], stdin?: string) => runKubectl(address, arguments_, stdin)
  const apply = (manifest: object | string) =>
    kubectl(['apply', '-f', '-'], typeof manifest === 'string' ? manifest : JSON.stringify(manifest))
  const tokenKubeconfig = async ({ namespace, name }: Pick<ServiceAccountAccess, 'namespace' | 'name'>) => {
    const token = (await kubectl(['create', 'token', name, '--namespace', namespace])).trim()
    const view = await kubectl(['config', 'view', '--raw', '--minify', '-o', 'json'])
    const config = JSON.parse(view) as { users: { name: string; user: object }[] }
    const users = config.users.map(({ name }) => ({ name, user: { token } }))
    const path = join(address.scratch, `${namespace}-${name}.kubeconfig`)
    await writeFile(path, JSON.stringify({ ...config, users }), { mode: 0o600 })
    return path
  }
  return {
    kubeconfig: address.kubeconfig,
    scratch: address.scratch,
    kubectl,
    apply,
    tokenKubeconfig,
    async createNamespace(labels = {}) {
      const name = `test-${randomBytes(5).toString('hex')}`
      await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { ...labels, [testLabel]: '' } } })
      return name
    },
    async serviceAccountKubeconfig(access) {
      await apply({ apiVersion: 'v1', kind: 'List', items: serviceAccountObjects(access) })
      return tokenKubeconfig(access)
    },
  }
}

function serviceAccountObjects(access: ServiceAccountAccess): object[] {
  const { namespace, name } = access
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  const apiGroup = 'rbac.authorization.k8s.io'
  const global = `${namespace}:${name}`
  const subjects = [{ kind: 'ServiceAccount', namespace, name }]
  const labels = { [testLabel]: '' }
  const bound = [...(access.clusterRoles ?? []), ...(access.clusterRules ? [global] : [])]
  const objects: object[] = [{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } }]
  if (access.rules) {
    const metadata = { namespace, name }
    objects.push({ apiVersion, kind: 'Role', metadata, rules: access.rules })
    objects.push({ apiVersion, kind: 'RoleBinding', metadata, subjects, roleRef: { apiGroup, kind: 'Role', name } })
  }
  if (access.clusterRules) {
    objects.push({ apiVersion, kind: 'ClusterRole', metadata: { name: global, labels }, rules: access.clusterRules })
  }
  for (const role of bound) {
    const roleRef = { apiGroup, kind: 'ClusterRole', name: role }
    const metadata = { name: `${global}:${role}`, labels }
    objects.push({ apiVersion, kind: 'ClusterRoleBinding', metadata, subjects, roleRef })
  }
  return objects
}
