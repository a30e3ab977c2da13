import { expect, it, vi } from 'vitest'
import type { KubeClient } from '../../../src/kube/client.ts'
import { type Clock, systemClock } from '../../../src/kube/clock.ts'
import { resources } from '../../../src/kube/resource.ts'
import { describeOnCluster, type TestCluster } from '../cluster.ts'
import { statusBody } from '../http-front.ts'
import { fronted, proxied } from './detours.ts'
import { liveClient } from './live-client.ts'
import { withOwnNamespace } from './own-namespace.ts'
import { configMap, put, reflectConfigMaps, remove } from './reflecting.ts'

const patient = { timeout: 20_000, interval: 20 }

/** A clock that knows how many of its timers are still set. */
function countingClock(): Clock & { readonly pending: () => number } {
  const set = new Set<object>()
  return {
    ...systemClock,
    after(delayMs, callback) {
      const timer = {}
      set.add(timer)
      const cancel = systemClock.after(delayMs, () => {
        set.delete(timer)
        callback()
      })
      return () => {
        set.delete(timer)
        cancel()
      }
    },
    pending: () => set.size,
  }
}

describeOnCluster('Reflector', () => {
  let cluster: TestCluster
  /** Talks to the API server directly, whatever is done to the client under test. */
  let writer: KubeClient
  let namespace: string

  withOwnNamespace(own => {
    ;({ cluster, client: writer, namespace } = own)
  })

  it('lists more objects than one page holds and misses none', async () => {
    const names = Array.from({ length: 620 }, (_, index) => `item-${index}`)
    for (let start = 0; start < names.length; start += 20) {
      const some = names.slice(start, start + 20)
      await Promise.all(some.map(name => writer.create(resources.configMaps, configMap(namespace, name, name))))
    }
    const client = await liveClient(cluster.kubeconfig)
    const { reflector, store } = reflectConfigMaps(client, { namespace })
    await reflector.synced()
    expect(new Set(store.values())).toEqual(new Set(names))
    expect(client.counts.get('list configmaps')).toBe(2)
  })

  it('hears of additions, changes and deletions, each once', async () => {
    await put(writer, configMap(namespace, 'a', '1'))
    const { reflector, heard } = reflectConfigMaps(writer, { namespace })
    expect(reflector.hasSynced).toBe(false)
    await reflector.synced()
    await put(writer, configMap(namespace, 'b', '1'))
    await put(writer, configMap(namespace, 'a', '2'))
    await remove(writer, namespace, 'b')
    await vi.waitFor(() => expect(heard.at(-1)).toBe(`deleted ${namespace}/b`), patient)
    expect(heard).toEqual([
      `set ${namespace}/a 1`,
      `set ${namespace}/b 1`,
      `set ${namespace}/a 2`,
      `deleted ${namespace}/b`,
    ])
  })

  it('resumes without a new list when its connection is cut, and hears what happened meanwhile', async () => {
    const { proxy, client } = await proxied(cluster)
    await put(writer, configMap(namespace, 'a', '1'))
    const { reflector, heard } = reflectConfigMaps(client, { namespace })
    await reflector.synced()
    await vi.waitFor(() => expect(client.counts.get('watch configmaps')).toBe(1), patient)
    proxy.refuse()
    await put(writer, configMap(namespace, 'a', '2'))
    await remove(writer, namespace, 'a')
    await vi.waitFor(() => expect(reflector.lastError).toBeDefined(), patient)
    proxy.admit()
    await vi.waitFor(() => expect(heard.at(-1)).toBe(`deleted ${namespace}/a`), patient)
    expect(heard).toEqual([`set ${namespace}/a 1`, `set ${namespace}/a 2`, `deleted ${namespace}/a`])
    expect(reflector.lastError).toBeUndefined()
    expect(client.counts.get('list configmaps')).toBe(1)
  })

  it('notices a connection that is open but dead and resumes on another', async () => {
    const { proxy, client } = await proxied(cluster)
    const { reflector, store } = reflectConfigMaps(client, { namespace, timings: { idleLimitMs: 700 } })
    await reflector.synced()
    await put(writer, configMap(namespace, 'a', '1'))
    await vi.waitFor(() => expect(store.get(`${namespace}/a`)).toBe('1'), patient)
    proxy.stall()
    await put(writer, configMap(namespace, 'a', '2'))
    await vi.waitFor(() => expect(store.get(`${namespace}/a`)).toBe('2'), patient)
    expect(client.counts.get('list configmaps')).toBe(1)
  })

  it('gets a list and its events whole over a connection that is slow and cuts every line into pieces', async () => {
    await Promise.all(['a', 'b', 'c'].map(name => put(writer, configMap(namespace, name, 'x'.repeat(2000)))))
    const { proxy, client } = await proxied(cluster)
    proxy.delayMs = 5
    proxy.maxChunkBytes = 211
    const { reflector, store } = reflectConfigMaps(client, { namespace })
    await reflector.synced()
    expect([...store.values()]).toEqual(['a', 'b', 'c'].map(() => 'x'.repeat(2000)))
    await put(writer, configMap(namespace, 'a', 'é'.repeat(1000)))
    await vi.waitFor(() => expect(store.get(`${namespace}/a`)).toBe('é'.repeat(1000)), patient)
    expect(client.counts.get('list configmaps')).toBe(1)
  })

  it('reconnects at once after the server ended the watch in good order, from the last bookmark', async () => {
    const { front, client } = await fronted(cluster)
    const { reflector, store } = reflectConfigMaps(client, { namespace, timings: { watchSeconds: [4, 4] } })
    await reflector.synced()
    // Without the label that is asked for: only bookmarks tell of the versions that this leads to.
    await writer.create(resources.configMaps, {
      ...configMap(namespace, 'other', '1'),
      metadata: { namespace, name: 'other' },
    })
    await vi.waitFor(async () => {
      const body = { data: { value: String(performance.now()) } }
      await writer.patch(resources.configMaps, { namespace, name: 'other' }, { type: 'merge', body })
      expect(front.watches.length).toBe(2)
    }, patient)
    const [listed = 0, resumedFrom = 0] = front.watches.map(url => Number(url.searchParams.get('resourceVersion')))
    expect(resumedFrom).toBeGreaterThan(listed)
    expect(front.watches[0]?.searchParams.get('allowWatchBookmarks')).toBe('true')
    await put(writer, configMap(namespace, 'a', '1'))
    await vi.waitFor(() => expect(store.get(`${namespace}/a`)).toBe('1'), patient)
    expect(front.lists).toHaveLength(1)
    expect(reflector.lastError).toBeUndefined()
  })

  it('starts the list anew when its continue token expires, and shows nothing of the broken one', async () => {
    await Promise.all(['a', 'b', 'c'].map(name => put(writer, configMap(namespace, name, '1'))))
    const { front, client } = await fronted(cluster)
    front.intercept = (_request, index) => (index === 1 ? { status: 410, body: statusBody(410, 'Expired') } : undefined)
    const { reflector, store, heard } = reflectConfigMaps(client, { namespace, pageSize: 2 })
    await reflector.synced()
    expect([...store.keys()]).toEqual(['a', 'b', 'c'].map(name => `${namespace}/${name}`))
    expect(heard).toHaveLength(3)
    expect(front.lists.map(({ url }) => url.searchParams.has('continue'))).toEqual([false, true, false, true])
  })

  it('stores pages as they come where that is asked for, and ends without what a broken list had shown', async () => {
    await Promise.all(['a', 'b', 'c'].map(name => put(writer, configMap(namespace, name, '1'))))
    const { front, client } = await fronted(cluster)
    const goneA = Promise.withResolvers<void>()
    front.intercept = async (_request, index) => {
      if (index !== 1) return undefined
      await goneA.promise
      return { status: 410, body: statusBody(410, 'Expired') }
    }
    const { reflector, store } = reflectConfigMaps(client, { namespace, pageSize: 2, storePages: true })
    await vi.waitFor(() => expect([...store.keys()]).toEqual(['a', 'b'].map(name => `${namespace}/${name}`)), patient)
    expect(reflector.hasSynced).toBe(false)
    await writer.delete(resources.configMaps, { namespace, name: 'a' })
    goneA.resolve()
    await reflector.synced()
    expect([...store.keys()]).toEqual(['b', 'c'].map(name => `${namespace}/${name}`))
  })

  it('lists again after a watch that is no JSON, and keeps what it has until then', async () => {
    await put(writer, configMap(namespace, 'a', '1'))
    const { front, client } = await fronted(cluster)
    let broken = 0
    front.intercept = ({ url }) => {
      if (!url.searchParams.has('watch') || broken > 0) return undefined
      broken += 1
      return { status: 200, body: '{"type":"ADDED","obj\n' }
    }
    const { reflector, heard, store } = reflectConfigMaps(client, { namespace })
    await reflector.synced()
    await vi.waitFor(() => expect(front.watches.length).toBe(2), patient)
    expect(front.lists).toHaveLength(2)
    expect(heard).toEqual([`set ${namespace}/a 1`])
    expect(store.size).toBe(1)
  })

  it('waits as long as Retry-After says, for lists and watches', async () => {
    const { front, client } = await fronted(cluster)
    const busy = { status: 429, headers: { 'retry-after': '1' }, body: statusBody(429, 'TooManyRequests') }
    const refused = { list: 0, watch: 0 }
    front.intercept = ({ url }) => {
      const verb = url.searchParams.has('watch') ? 'watch' : 'list'
      refused[verb] += 1
      return refused[verb] <= 1 ? busy : undefined
    }
    const { reflector, store } = reflectConfigMaps(client, { namespace, timings: { maxBackoffMs: 5000 } })
    await reflector.synced()
    await vi.waitFor(() => expect(front.watches.length).toBe(2), patient)
    const times = front.seen.map(({ atMs }) => atMs)
    const [list = 0, listed = 0, watch = 0, watched = 0] = times
    // A timer may fire up to a millisecond early.
    expect(listed - list).toBeGreaterThanOrEqual(999)
    expect(watched - watch).toBeGreaterThanOrEqual(999)
    expect(front.lists).toHaveLength(2)
    await put(writer, configMap(namespace, 'a', '1'))
    await vi.waitFor(() => expect(store.size).toBe(1), patient)
  })

  it('keeps trying while it may not read, and syncs when the role binding comes', async () => {
    await put(writer, configMap(namespace, 'a', '1'))
    const kubeconfig = await cluster.serviceAccountKubeconfig({ namespace, name: 'late' })
    const client = await liveClient(kubeconfig)
    const { reflector, store } = reflectConfigMaps(client, { namespace })
    await vi.waitFor(() => expect(reflector.lastError).toMatchObject({ status: 403 }), patient)
    expect(reflector.hasSynced).toBe(false)
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch'] }]
    await cluster.serviceAccountKubeconfig({ namespace, name: 'late', rules })
    await reflector.synced()
    expect([...store.values()]).toEqual(['1'])
    expect(reflector.lastError).toBeUndefined()
  })

  it('leaves out an object that can not be read, and no other', async () => {
    await Promise.all(['bad', 'good'].map(name => put(writer, configMap(namespace, name, name))))
    const { reflector, store } = reflectConfigMaps(writer, {
      namespace,
      transform: raw => {
        if (raw.metadata.name === 'bad') throw new Error('unreadable')
        return raw.metadata.managedFields === undefined ? 'without managedFields' : 'with managedFields'
      },
    })
    await reflector.synced()
    expect([...store.values()]).toEqual(['without managedFields'])
  })

  it('leaves no timer behind when it is stopped, while watching, waiting or listing', async () => {
    const { front, client } = await fronted(cluster)
    const clock = countingClock()
    const watching = reflectConfigMaps(client, { namespace, clock })
    await watching.reflector.synced()
    await vi.waitFor(() => expect(front.watches.length).toBe(1), patient)
    front.intercept = () => ({ status: 500, body: statusBody(500, 'InternalError') })
    const waiting = reflectConfigMaps(client, {
      namespace,
      clock,
      timings: { initialBackoffMs: 60_000, maxBackoffMs: 60_000 },
    })
    await vi.waitFor(() => expect(waiting.reflector.lastError).toBeDefined(), patient)
    expect(clock.pending()).toBe(2)
    await Promise.all([watching.reflector.stop(), waiting.reflector.stop()])
    expect(clock.pending()).toBe(0)
    await expect(waiting.reflector.synced()).rejects.toThrow('stopped')
  })
})
