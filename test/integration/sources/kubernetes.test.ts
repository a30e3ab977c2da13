import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { instanceConfigurationKey } from '../../../src/api/names.ts'
import type { InstanceConfiguration } from '../../../src/api/settings.ts'
import { createLog } from '../../../src/observe/log.ts'
import { defaultSettings } from '../../../src/routing/default-settings.ts'
import type { Change } from '../../../src/routing/snapshot.ts'
import { KubernetesSource } from '../../../src/sources/kubernetes.ts'
import { describeOnCluster, sharedCluster, type TestCluster } from '../cluster.ts'
import { instanceConfigMap } from '../instance-config-map.ts'
import { liveClient } from '../kube/live-client.ts'

const patient = { timeout: 20_000, interval: 20 }
const read = ['get', 'list', 'watch']

describeOnCluster('KubernetesSource with the permissions of a proxy', () => {
  let cluster: TestCluster
  let own: string
  let other: string
  let given: Change[]
  let configurations: InstanceConfiguration[]
  let logged: string[]

  beforeEach(async () => {
    cluster = sharedCluster()
    own = await cluster.createNamespace()
    other = await cluster.createNamespace()
    given = []
    configurations = []
    logged = []
  })

  async function configure(change: Partial<InstanceConfiguration>): Promise<void> {
    await cluster.apply(instanceConfigMap({ namespace: own, name: 'shop' }, change))
  }

  async function startSource(): Promise<KubernetesSource> {
    const rules = (namespaceRules: readonly object[]) =>
      [
        { apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: read },
        { apiGroups: [''], resources: ['services'], verbs: read },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
        ...namespaceRules,
      ] as { apiGroups: string[]; resources: string[]; verbs: string[] }[]
    const configMap = { apiGroups: [''], resources: ['configmaps'], resourceNames: ['ingress-shop'], verbs: read }
    const secret = { apiGroups: [''], resources: ['secrets'], resourceNames: ['default-tls'], verbs: read }
    const kubeconfig = await cluster.serviceAccountKubeconfig({
      namespace: own,
      name: 'proxy',
      rules: rules([configMap, secret]),
    })
    await grant(other, rules([{ apiGroups: [''], resources: ['secrets'], verbs: read }]))
    const source = new KubernetesSource({
      client: await liveClient(kubeconfig),
      log: createLog({ level: 'warn', destination: { write: line => logged.push(line) } }),
      instance: { namespace: own, name: 'shop' },
      onConfiguration: configuration => configurations.push(configuration),
    })
    onTestFinished(() => source.stop())
    source.start(changes => given.push(...changes))
    return source
  }

  async function grant(namespace: string, rules: readonly object[]): Promise<void> {
    const apiVersion = 'rbac.authorization.k8s.io/v1'
    const metadata = { namespace, name: 'proxy' }
    const subjects = [{ kind: 'ServiceAccount', namespace: own, name: 'proxy' }]
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'proxy' }
    await cluster.apply({ apiVersion, kind: 'Role', metadata, rules })
    await cluster.apply({ apiVersion, kind: 'RoleBinding', metadata, subjects, roleRef })
  }

  async function createService(namespace: string, name: string): Promise<void> {
    const metadata = { namespace, name, labels: { app: 'x' }, annotations: { note: 'kept' } }
    await cluster.apply({ apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ name: 'http', port: 80 }] } })
  }

  async function createSecret(namespace: string, name: string): Promise<void> {
    const data = { 'tls.crt': 'YQ==', 'tls.key': 'Yg==', other: 'Yw==' }
    await cluster.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name }, data })
  }

  /** What the changes add up to. */
  function held(): string[] {
    const state = new Map<string, boolean>()
    for (const { kind, namespace, name, object } of given)
      state.set(`${kind} ${namespace}/${name}`, object !== undefined)
    return [...state].flatMap(([key, present]) => (present ? [key] : [])).sort()
  }

  it('is complete when synced, and keeps only what routing reads', async () => {
    await createService(own, 'web')
    await createService(other, 'elsewhere')
    await createSecret(own, 'default-tls')
    await createSecret(own, 'not-mine')
    await configure({})
    const source = await startSource()
    await source.synced()
    expect(configurations.map(({ instance }) => instance)).toEqual([{ namespace: own, name: 'shop' }])
    expect(held()).toEqual([`Secret ${own}/default-tls`, `Service ${own}/web`])
    const service = given.find(({ kind }) => kind === 'Service')?.object
    expect(Object.keys(service?.metadata ?? {}).sort()).toEqual(['name', 'namespace'])
    const secret = given.find(({ kind }) => kind === 'Secret')?.object
    expect(secret).toMatchObject({ data: { 'tls.crt': 'YQ==', 'tls.key': 'Yg==' } })
    expect(JSON.stringify(secret)).not.toContain('Yw==')
  })

  it('waits for its configuration, and gives changes as they come', async () => {
    const source = await startSource()
    let isSynced = false
    const synced = source.synced().then(() => {
      isSynced = true
    })
    await createService(own, 'web')
    expect(isSynced).toBe(false)
    await configure({})
    await synced
    expect(held()).toEqual([`Service ${own}/web`])
    await createService(own, 'cart')
    await vi.waitFor(() => expect(held()).toEqual([`Service ${own}/cart`, `Service ${own}/web`]), patient)
    await cluster.kubectl(['delete', 'service', 'web', '--namespace', own])
    await vi.waitFor(() => expect(held()).toEqual([`Service ${own}/cart`]), patient)
  })

  it('follows a scope and namespaces of Secrets that grow and shrink, without losing what stays', async () => {
    await createService(own, 'web')
    await createService(other, 'elsewhere')
    await createSecret(other, 'shop-tls')
    await configure({})
    const source = await startSource()
    await source.synced()
    await configure({ namespaces: [own, other], secretNamespaces: [other] })
    const all = [`Secret ${other}/shop-tls`, `Service ${other}/elsewhere`, `Service ${own}/web`]
    await vi.waitFor(() => expect(held()).toEqual(all.toSorted()), patient)
    await configure({ namespaces: [own], secretNamespaces: [] })
    await vi.waitFor(() => expect(held()).toEqual([`Service ${own}/web`]), patient)
    expect(given.filter(({ name, object }) => name === 'web' && object === undefined)).toEqual([])
    expect(configurations).toHaveLength(3)
  })

  it('fills in what an operator of before does not write, and keeps the last configuration over a wrong one', async () => {
    const { timeouts, limits, ...rest } = defaultSettings
    const { maxMemoryBytes: _absent, ...older } = limits
    const settings = { ...rest, limits: { ...older, maxBodyBytes: 5 } }
    await configure({ settings } as Partial<InstanceConfiguration>)
    const source = await startSource()
    await source.synced()
    const filled = { ...defaultSettings, limits: { ...limits, maxBodyBytes: 5 } }
    expect(configurations.map(configuration => configuration.settings)).toEqual([filled])
    const wrong = { ...filled, timeouts: { ...timeouts, readMs: 'soon' }, napMs: 1 }
    await configure({ settings: wrong } as unknown as Partial<InstanceConfiguration>)
    const newer = { ...filled, timeouts: { ...timeouts, readMs: 7 }, napMs: 1 }
    await configure({ settings: newer })
    await vi.waitFor(() => expect(configurations.at(-1)?.settings.timeouts.readMs).toBe(7), patient)
    expect(configurations.at(-1)?.settings).toEqual({ ...filled, timeouts: { ...timeouts, readMs: 7 } })
    const [line = ''] = logged.filter(text => text.includes('configuration can not be used'))
    expect(JSON.parse(line)).toMatchObject({
      level: 'warn',
      namespace: own,
      configMap: 'ingress-shop',
      field: 'settings.timeouts.readMs',
      problem: 'must be a number of at least 0; it is "soon"',
    })
    expect(configurations.every(({ settings: { timeouts } }) => typeof timeouts.readMs === 'number')).toBe(true)
  })

  it('keeps the last configuration when it is broken or deleted', async () => {
    await createService(own, 'web')
    await configure({})
    const source = await startSource()
    await source.synced()
    const broken = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'ingress-shop', namespace: own },
      data: { [instanceConfigurationKey]: '{' },
    }
    await cluster.apply(broken)
    await cluster.kubectl(['delete', 'configmap', 'ingress-shop', '--namespace', own])
    await createService(own, 'cart')
    await vi.waitFor(() => expect(held()).toEqual([`Service ${own}/cart`, `Service ${own}/web`]), patient)
    expect(configurations).toHaveLength(1)
  })
})
