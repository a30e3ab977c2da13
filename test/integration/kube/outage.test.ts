import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import type { ConfigMap } from '../../../src/api/kubernetes.ts'
import { isNotFound } from '../../../src/kube/api-error.ts'
import type { KubeClient } from '../../../src/kube/client.ts'
import { resources } from '../../../src/kube/resource.ts'
import { describeOnOwnControlPlane, type TestCluster, testCluster } from '../cluster.ts'
import { type ControlPlane, startControlPlane } from '../control-plane.ts'
import { proxied } from './detours.ts'
import { liveClient } from './live-client.ts'
import { configMap, labelSelector, put, reflectConfigMaps, remove } from './reflecting.ts'

const patient = { timeout: 30_000, interval: 50 }

describeOnOwnControlPlane('a Reflector whose API server fails', () => {
  // Of its own: what is done to it here would fail the tests of others.
  let controlPlane: ControlPlane
  let cluster: TestCluster
  let writer: KubeClient
  let namespace: string

  beforeAll(async () => {
    controlPlane = await startControlPlane()
    cluster = testCluster(controlPlane.address)
  })

  afterAll(() => controlPlane.stop())

  beforeEach(async () => {
    writer = await liveClient(cluster.kubeconfig)
    namespace = await cluster.createNamespace()
  })

  async function onServer(): Promise<Map<string, string>> {
    const { items } = await writer.list<ConfigMap>(resources.configMaps, { namespace, labelSelector })
    return new Map((items ?? []).map(({ metadata, data }) => [`${namespace}/${metadata.name}`, data?.['value'] ?? '']))
  }

  it('loses no event when the API server is killed and started again, and lists at most once more', async () => {
    await Promise.all(['stays', 'changes', 'goes'].map(name => put(writer, configMap(namespace, name, '1'))))
    const client = await liveClient(cluster.kubeconfig)
    const { reflector, store, heard } = reflectConfigMaps(client, { namespace })
    await reflector.synced()
    // Some of this is still on its way to the watch when the server dies.
    await put(writer, configMap(namespace, 'changes', '2'))
    await remove(writer, namespace, 'goes')
    await put(writer, configMap(namespace, 'comes', '1'))
    await controlPlane.command('component', 'stop', 'apiserver')
    await vi.waitFor(() => expect(reflector.lastError).toBeDefined(), patient)
    expect(store.size).toBeGreaterThanOrEqual(3)
    await controlPlane.command('component', 'start', 'apiserver')
    await put(writer, configMap(namespace, 'after', '1'))
    await vi.waitFor(async () => expect(new Map(entries(store))).toEqual(await onServer()), patient)
    expect(client.counts.get('list configmaps')).toBeLessThanOrEqual(2)
    expect(heard.filter(change => change.startsWith('deleted'))).toEqual([`deleted ${namespace}/goes`])
    expect(reflector.lastError).toBeUndefined()
  })

  it('lists again when its version is compacted away, and tells of the deletions it missed', async () => {
    await Promise.all(['stays', 'goes'].map(name => put(writer, configMap(namespace, name, '1'))))
    const { proxy, client } = await proxied(cluster)
    const { reflector, store, heard } = reflectConfigMaps(client, { namespace })
    await reflector.synced()
    proxy.refuse()
    await remove(writer, namespace, 'goes')
    await put(writer, configMap(namespace, 'comes', '1'))
    await controlPlane.command('compact')
    // A new server has no history of its own in memory either.
    await controlPlane.command('component', 'stop', 'apiserver')
    await controlPlane.command('component', 'start', 'apiserver')
    expect(store.has(`${namespace}/goes`)).toBe(true)
    proxy.admit()
    await vi.waitFor(async () => expect(new Map(entries(store))).toEqual(await onServer()), patient)
    expect(heard.slice(2)).toEqual([`set ${namespace}/comes 1`, `deleted ${namespace}/goes`])
    expect(client.counts.get('list configmaps')).toBe(2)
  })

  it('goes on when etcd was killed and started again', async () => {
    await put(writer, configMap(namespace, 'stays', '1'))
    const { reflector, store, heard } = reflectConfigMaps(writer, { namespace })
    await reflector.synced()
    await controlPlane.command('component', 'stop', 'etcd')
    await controlPlane.command('component', 'start', 'etcd')
    await vi.waitFor(() => put(writer, configMap(namespace, 'after', '1')), patient)
    await vi.waitFor(() => expect(store.has(`${namespace}/after`)).toBe(true), patient)
    expect(heard.filter(change => change.startsWith('deleted'))).toEqual([])
    await expect(writer.get(resources.configMaps, { namespace, name: 'never' })).rejects.toSatisfy(isNotFound)
  })
})

function* entries(store: { keys(): Iterable<string>; get(key: string): string | undefined }) {
  for (const key of store.keys()) yield [key, store.get(key)] as const
}
