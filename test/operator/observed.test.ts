import { describe, expect, it } from 'vitest'
import { toProxyPod } from '../../src/operator/observed.ts'

const pod = (status: object): Parameters<typeof toProxyPod>[0] =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'edge',
      name: 'a',
      labels: { a: 'b' },
      annotations: { big: 'x' },
      managedFields: [{ manager: 'kubelet' }],
    },
    spec: { containers: [] },
    status,
  }) as Parameters<typeof toProxyPod>[0]

describe('what is kept of a pod', () => {
  it('is little', () => {
    const conditions = [{ type: 'Ready', status: 'True' }]
    expect(toProxyPod(pod({ hostIP: '192.0.2.1', conditions }))).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'edge', name: 'a', labels: { a: 'b' } },
      ready: true,
      hostAddress: '192.0.2.1',
      trouble: '',
    })
  })

  it.each([
    [
      'the words of the scheduler',
      { conditions: [{ type: 'PodScheduled', status: 'False', message: '0/1 nodes' }] },
      '0/1 nodes',
    ],
    [
      'a waiting container',
      { containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } }] },
      'ImagePullBackOff: no such image',
    ],
    [
      'a crashing container',
      { containerStatuses: [{ state: { waiting: { reason: 'CrashLoopBackOff' } } }] },
      'CrashLoopBackOff',
    ],
    [
      'no trouble while it starts',
      { containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }] },
      '',
    ],
    ['no trouble when it runs', { containerStatuses: [{ state: { running: {} } }] }, ''],
    ['no trouble when nothing is known', {}, ''],
  ])('tells of %s', (_name, status, trouble) => {
    expect(toProxyPod(pod(status)).trouble).toBe(trouble)
  })

  it('is not ready until its condition says so', () => {
    expect(toProxyPod(pod({ conditions: [{ type: 'Ready', status: 'False' }] })).ready).toBe(false)
    expect(toProxyPod(pod({})).ready).toBe(false)
  })
})
