import { beforeEach, expect, it, onTestFinished } from 'vitest'
import type { KubernetesObject } from '../../../src/api/kubernetes.ts'
import type { ObjectReference } from '../../../src/api/problem.ts'
import type { KubeClient } from '../../../src/kube/client.ts'
import { EventRecorder, type EventRecorderOptions } from '../../../src/kube/event-recorder.ts'
import { resources } from '../../../src/kube/resource.ts'
import { ManualClock } from '../../kube/manual-clock.ts'
import { silentLog } from '../../kube/silent-log.ts'
import { describeOnCluster, type TestCluster } from '../cluster.ts'
import { withOwnNamespace } from './own-namespace.ts'
import { configMap } from './reflecting.ts'

interface RecordedEvent extends KubernetesObject {
  readonly message: string
  readonly count: number
}

describeOnCluster('EventRecorder', () => {
  let cluster: TestCluster
  let client: KubeClient
  let namespace: string
  let object: ObjectReference
  let messages: string[]

  withOwnNamespace(own => {
    ;({ cluster, client, namespace } = own)
  })

  beforeEach(async () => {
    const created = await client.create(resources.configMaps, configMap(namespace, 'shop', '1'))
    object = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'shop', uid: created.metadata.uid ?? '' }
    messages = []
  })

  function recorder(options: Partial<EventRecorderOptions> = {}): EventRecorder {
    const made = new EventRecorder({ client, log: silentLog(messages), instance: 'operator-0', ...options })
    onTestFinished(() => made.stop())
    return made
  }

  async function recorded(): Promise<readonly RecordedEvent[]> {
    return (await client.list<RecordedEvent>(resources.events, { namespace })).items ?? []
  }

  const sync = (message: string) => ({ object, type: 'Normal', reason: 'Sync', message }) as const

  it('shows its events in kubectl describe, counted, with their source', async () => {
    const events = recorder()
    events.record(sync('accepted'))
    await events.flush()
    events.record(sync('accepted'))
    events.record({ object, type: 'Warning', reason: 'Rejected', message: 'spec.rules[0].host: not a host name' })
    await events.flush()
    const described = await cluster.kubectl(['-n', namespace, 'describe', 'configmap', 'shop'])
    expect(described).toMatch(/Normal +Sync +\S+ \(x2 over \S+\) +ingress-fleet +accepted/)
    expect(described).toMatch(/Warning +Rejected +\S+ +ingress-fleet +spec\.rules\[0\]\.host: not a host name/)
    expect(await recorded()).toHaveLength(2)
  })

  it('describes events of cluster-scoped objects too', async () => {
    const events = recorder()
    const name = `${namespace}-class`
    const spec = { controller: 'test.ingressfleet.dev/none' }
    const ingressClass = { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name }, spec }
    const { metadata } = await client.create(resources.ingressClasses, ingressClass)
    const uid = metadata.uid ?? ''
    const about = { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', namespace: '', name, uid }
    events.record({ object: about, type: 'Normal', reason: 'Sync', message: 'valid class found' })
    await events.flush()
    expect(await cluster.kubectl(['describe', 'ingressclass', name])).toContain('valid class found')
    await client.delete(resources.ingressClasses, { name })
  })

  it('writes one event for many that come before the first is written', async () => {
    const events = recorder()
    for (let repeat = 0; repeat < 1000; repeat += 1) events.record(sync('accepted'))
    await events.flush()
    events.record(sync('accepted'))
    await events.flush()
    expect((await recorded()).map(({ count }) => count)).toEqual([1001])
    expect(client.writesExcept('configmaps')).toBeLessThanOrEqual(3)
  })

  it('starts a new event when the last of its kind is longer ago than the aggregation time', async () => {
    const clock = new ManualClock()
    const events = recorder({ clock, aggregationMs: 600_000 })
    events.record(sync('accepted'))
    await events.flush()
    await clock.advance(600_001)
    events.record(sync('accepted'))
    await events.flush()
    expect((await recorded()).map(({ count }) => count)).toEqual([1, 1])
  })

  it('writes an event anew that the server has forgotten', async () => {
    const events = recorder()
    events.record(sync('accepted'))
    await events.flush()
    for (const { metadata } of await recorded())
      await client.delete(resources.events, { namespace, name: metadata.name })
    events.record(sync('accepted'))
    await events.flush()
    expect((await recorded()).map(({ count }) => count)).toEqual([2])
  })

  it('lets one object cause only so many events, and none of another fewer', async () => {
    const clock = new ManualClock()
    const events = recorder({ clock, burst: 3, refillMs: 1000 })
    for (let index = 0; index < 10; index += 1) events.record(sync(`change ${index}`))
    events.record({ ...sync('accepted'), object: { ...object, name: 'other' } })
    await events.flush()
    expect(await recorded()).toHaveLength(4)
    expect(events.dropped).toBe(7)
    await clock.advance(1000)
    events.record(sync('change 10'))
    events.record(sync('change 11'))
    await events.flush()
    expect(await recorded()).toHaveLength(5)
  })

  it('cuts a message to what the server takes', async () => {
    const events = recorder()
    events.record(sync('é'.repeat(3000)))
    await events.flush()
    expect((await recorded()).map(({ message }) => message)).toEqual([`${'é'.repeat(1021)}...`])
    expect(messages).toEqual([])
  })

  it('only logs what it could not write', async () => {
    const events = recorder()
    events.record({ ...sync('accepted'), object: { ...object, namespace: 'no-such-namespace' } })
    await events.flush()
    expect(messages).toEqual(['event not written'])
  })
})
