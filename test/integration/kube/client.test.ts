import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import type { ConfigMap } from '../../../src/api/kubernetes.ts'
import { ApiError, ConnectionError } from '../../../src/kube/api-error.ts'
import type { KubeClient } from '../../../src/kube/client.ts'
import { loadClusterAccess } from '../../../src/kube/credentials.ts'
import { resources } from '../../../src/kube/resource.ts'
import { describeOnCluster, type TestCluster } from '../cluster.ts'
import { statusBody } from '../http-front.ts'
import { fronted, proxied } from './detours.ts'
import { closedAtTheEnd } from './live-client.ts'
import { withOwnNamespace } from './own-namespace.ts'
import { configMap, put, reflectConfigMaps } from './reflecting.ts'

const patient = { timeout: 30_000, interval: 100 }

describeOnCluster('KubeClient', () => {
  let cluster: TestCluster
  let client: KubeClient
  let namespace: string

  withOwnNamespace(own => {
    ;({ cluster, client, namespace } = own)
  })

  it('creates, reads, replaces, patches and deletes, and counts each', async () => {
    const target = { namespace, name: 'a' }
    const created = await client.create(resources.configMaps, configMap(namespace, 'a', '1'))
    await client.replace(resources.configMaps, { ...created, data: { value: '2' } })
    await client.patch(resources.configMaps, target, { type: 'merge', body: { data: { more: 'x' } } })
    const body = [{ op: 'remove', path: '/data/more' }]
    await client.patch(resources.configMaps, target, { type: 'json', body })
    expect((await client.get<ConfigMap>(resources.configMaps, target)).data).toEqual({ value: '2' })
    await client.delete(resources.configMaps, target)
    expect(Object.fromEntries(client.counts)).toEqual({
      'create configmaps': 1,
      'update configmaps': 1,
      'patch configmaps': 2,
      'get configmaps': 1,
      'delete configmaps': 1,
    })
    expect(client.writesExcept()).toBe(5)
    expect(client.writesExcept('configmaps')).toBe(0)
  })

  it('says what the server refused and why', async () => {
    await client.create(resources.configMaps, configMap(namespace, 'a', '1'))
    const again = client.create(resources.configMaps, configMap(namespace, 'a', '1'))
    await expect(again).rejects.toMatchObject({
      status: 409,
      reason: 'AlreadyExists',
      message: `POST /api/v1/namespaces/${namespace}/configmaps: configmaps "a" already exists`,
    })
    const stale = { ...configMap(namespace, 'a', '2'), metadata: { namespace, name: 'a', resourceVersion: '1' } }
    await expect(client.replace(resources.configMaps, stale)).rejects.toMatchObject({ status: 409, reason: 'Conflict' })
    await expect(client.get(resources.configMaps, { namespace, name: 'b' })).rejects.toMatchObject({
      status: 404,
      reason: 'NotFound',
      details: { name: 'b' },
    })
  })

  it('sends a request again when the server is too busy, after the time that it asks for', async () => {
    const { front, client } = await fronted(cluster)
    const busy = { status: 429, headers: { 'retry-after': '1' }, body: statusBody(429, 'TooManyRequests') }
    front.intercept = (_request, index) => (index < 2 ? busy : undefined)
    await client.create(resources.configMaps, configMap(namespace, 'a', '1'))
    expect(client.counts.get('create configmaps')).toBe(3)
    const [first = 0, second = 0, third = 0] = front.seen.map(({ atMs }) => atMs)
    // A timer may fire up to a millisecond early.
    expect(second - first).toBeGreaterThanOrEqual(999)
    expect(third - second).toBeGreaterThanOrEqual(999)
  })

  it('gives up after the tries it was allowed, and does not repeat what may have taken effect', async () => {
    const { front, client } = await fronted(cluster)
    front.intercept = ({ method }) =>
      method === 'GET'
        ? { status: 503, headers: { 'retry-after': '0' }, body: statusBody(503, 'ServiceUnavailable') }
        : { status: 500, body: statusBody(500, 'InternalError') }
    const get = client.get(resources.configMaps, { namespace, name: 'a' }, { attempts: 3 })
    await expect(get).rejects.toMatchObject({ status: 503 })
    const create = client.create(resources.configMaps, configMap(namespace, 'a', '1'))
    await expect(create).rejects.toMatchObject({ status: 500 })
    expect(Object.fromEntries(client.counts)).toEqual({ 'get configmaps': 3, 'create configmaps': 1 })
  })

  it('ends a request that gets no answer in time, and works again on a new connection', async () => {
    const { proxy, client } = await proxied(cluster, { requestTimeoutMs: 500 })
    await client.get(resources.namespaces, { name: namespace })
    proxy.freeze()
    const creation = client.create(resources.configMaps, configMap(namespace, 'a', '1'))
    await expect(creation).rejects.toThrow('no complete answer within 500 ms')
    await expect(creation).rejects.toBeInstanceOf(ConnectionError)
    proxy.thaw()
    expect((await client.get(resources.namespaces, { name: namespace })).metadata.name).toBe(namespace)
  })

  it('gets a large answer whole however slowly it comes', async () => {
    await put(client, configMap(namespace, 'large', 'x'.repeat(100_000)))
    const { proxy, client: slow } = await proxied(cluster)
    proxy.delayMs = 10
    proxy.maxChunkBytes = 4000
    const large = await slow.get<ConfigMap>(resources.configMaps, { namespace, name: 'large' })
    expect(large.data?.['value']).toHaveLength(100_000)
  })

  it('sends all its requests over few connections', async () => {
    const { proxy, client } = await proxied(cluster)
    for (let round = 0; round < 20; round += 1) await client.get(resources.namespaces, { name: namespace })
    // A connection is free again a moment after its answer has been read, so two take turns.
    expect(proxy.accepted).toBeLessThanOrEqual(2)
  })

  it('breaks off what is under way when it is closed or its signal says so', async () => {
    const { proxy, client } = await proxied(cluster)
    await client.get(resources.namespaces, { name: namespace })
    proxy.freeze()
    const abort = new AbortController()
    const rejection = (signal?: AbortSignal) =>
      client.get(resources.namespaces, { name: namespace }, signal ? { signal } : {}).catch((error: unknown) => error)
    const broken = rejection(abort.signal)
    const closed = rejection()
    abort.abort(new Error('not needed any more'))
    expect(String(await broken)).toMatch(/^ConnectionError: GET .*: not needed any more$/)
    await client.close()
    expect(await closed).toBeInstanceOf(ConnectionError)
    await expect(client.get(resources.namespaces, { name: namespace })).rejects.toThrow('was closed')
  })

  it('goes on with the new token of its service account when the old one is revoked', async () => {
    const name = 'rotating'
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch', 'get'] }]
    await cluster.serviceAccountKubeconfig({ namespace, name, rules })
    // A token bound to a Secret ends with it.
    const boundToken = async (secret: string) => {
      await cluster.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: secret } })
      const bound = ['--bound-object-kind', 'Secret', '--bound-object-name', secret]
      return (await cluster.kubectl(['-n', namespace, 'create', 'token', name, ...bound])).trim()
    }
    const directory = join(cluster.scratch, namespace)
    await mkdir(directory)
    const { server, tls } = await loadClusterAccess({ kubeconfig: cluster.kubeconfig }).then(async access => ({
      server: access.server,
      tls: (await access.authorize()).tls,
    }))
    await writeFile(join(directory, 'ca.crt'), tls.caPem ?? '')
    await writeFile(join(directory, 'namespace'), namespace)
    const oldToken = await boundToken('old')
    await writeFile(join(directory, 'token'), oldToken)
    const access = await loadClusterAccess({ serviceAccountDirectory: directory, inClusterServer: server })
    const pod = closedAtTheEnd(access)
    const { reflector, store } = reflectConfigMaps(pod, { namespace, timings: { watchSeconds: [1, 1] } })
    await reflector.synced()

    // As the kubelet does it: the new file takes the place of the old one at once.
    await writeFile(join(directory, 'token.new'), await boundToken('new'))
    await rename(join(directory, 'token.new'), join(directory, 'token'))
    await client.delete(resources.secrets, { namespace, name: 'old' })
    const old = closedAtTheEnd({
      server,
      namespace,
      authorize: () => Promise.resolve({ headers: { authorization: `Bearer ${oldToken}` }, tls }),
    })
    // The API server remembers for some seconds that a token was good.
    await vi.waitFor(
      () => expect(old.get(resources.configMaps, { namespace, name: 'x' })).rejects.toMatchObject({ status: 401 }),
      patient,
    )
    await put(client, configMap(namespace, 'a', '1'))
    await vi.waitFor(() => expect(store.get(`${namespace}/a`)).toBe('1'), patient)
    await expect(pod.get(resources.configMaps, { namespace, name: 'x' })).rejects.toBeInstanceOf(ApiError)
    await expect(pod.get(resources.configMaps, { namespace, name: 'x' })).rejects.toMatchObject({ status: 404 })
    expect(pod.counts.get('list configmaps')).toBe(1)
  })
})
