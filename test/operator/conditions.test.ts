import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ConditionType, conditionReasons } from '../../src/api/conditions.ts'
import type { Condition } from '../../src/api/kubernetes.ts'
import { computeConditions, graceRemainingMs } from '../../src/operator/conditions.ts'
import type { Findings } from '../../src/operator/findings.ts'
import type { Deployment, Observed, ProxyPod } from '../../src/operator/observed.ts'
import { addresses, computeStatus } from '../../src/operator/status.ts'

const now = new Date('2026-06-01T12:00:00Z')

const facts = {
  serialNumber: 'AB',
  fingerprint: 'cd',
  notBefore: '2026-05-01T00:00:00Z',
  notAfter: '2026-07-30T00:00:00Z',
  hosts: ['ingress.local'],
  subject: 'CN=ingress.local',
}

interface Rollout {
  readonly wanted?: number
  readonly available?: number
  readonly updated?: number
  readonly replicas?: number
  readonly observedGeneration?: number
  readonly progressing?: { readonly status: string; readonly reason: string; readonly message?: string }
}

function deployment(rollout: Rollout = {}): Deployment {
  const { wanted = 2, available = wanted, updated = wanted, replicas = wanted, observedGeneration = 3 } = rollout
  const progressing = rollout.progressing ?? { status: 'True', reason: 'NewReplicaSetAvailable' }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: 'edge', name: 'ingress-public', generation: 3 },
    spec: { replicas: wanted },
    status: {
      observedGeneration,
      replicas,
      readyReplicas: available,
      availableReplicas: available,
      updatedReplicas: updated,
      conditions: [{ type: 'Progressing', ...progressing }],
    },
  }
}

function service(
  type: 'LoadBalancer' | 'NodePort' | 'ClusterIP',
  entries: readonly object[] = [],
): NonNullable<Observed['service']> {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'edge', name: 'ingress-public' },
    spec: {
      type,
      clusterIP: '10.96.0.7',
      ports: [
        { name: 'http', port: 80, nodePort: 30_080 },
        { name: 'https', port: 443 },
      ],
    },
    status: { loadBalancer: { ingress: entries } },
  }
}

function pod(name: string, rest: Partial<ProxyPod> = {}): ProxyPod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'edge', name },
    ready: true,
    hostAddress: '',
    trouble: '',
    ...rest,
  }
}

const healthy: Findings = {
  instance: { namespace: 'edge', name: 'public' },
  generation: 4,
  paused: false,
  admission: { reason: 'Valid', warnings: [] },
  failures: [],
  certificate: { reason: 'Valid', secretName: 'ingress-public-default-tls', facts },
  observed: {
    service: service('LoadBalancer', [{ ip: '192.0.2.1' }]),
    deployment: deployment(),
    pods: [],
    balancerFailure: undefined,
  },
  serviceType: 'LoadBalancer',
  now,
}

function withObserved(observed: Partial<Observed>, rest: Partial<Findings> = {}): Findings {
  return { ...healthy, ...rest, observed: { ...healthy.observed, ...observed } }
}

/** `Type` → `Status/Reason`. */
function verdicts(findings: Findings, previous: readonly Condition[] = []): Readonly<Record<string, string>> {
  const conditions = computeConditions(findings, previous)
  return Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status}/${reason}`]))
}

function messageOf(findings: Findings, type: ConditionType): string {
  return computeConditions(findings).find(condition => condition.type === type)?.message ?? ''
}

/** Conditions as they were so long ago. */
function earlier(findings: Findings, msAgo: number): readonly Condition[] {
  return computeConditions({ ...findings, now: new Date(now.getTime() - msAgo) })
}

describe('conditions', () => {
  it('of a healthy instance say so, one of each type', () => {
    expect(verdicts(healthy)).toEqual({
      Admitted: 'True/Valid',
      ObjectsApplied: 'True/Applied',
      CertificateReady: 'True/Valid',
      DeploymentAvailable: 'True/DeploymentAvailable',
      DeploymentReplicasMinAvailable: 'True/MinimumReplicasAvailable',
      DeploymentReplicasAllAvailable: 'True/ReplicasAvailable',
      LoadBalancerReady: 'True/LoadBalancerProvisioned',
      Paused: 'False/NotPaused',
      Available: 'True/Available',
      Progressing: 'False/NotProgressing',
      Degraded: 'False/AsExpected',
      Ready: 'True/Ready',
    })
  })

  it.each<[string, Findings, Readonly<Record<string, string>>]>([
    [
      'an invalid spec on a running instance',
      {
        ...healthy,
        admission: { reason: 'Invalid', message: 'spec.scope: not both' },
        failures: undefined,
        serviceType: undefined,
      },
      {
        Admitted: 'False/Invalid',
        ObjectsApplied: 'False/NotAdmitted',
        Available: 'True/Available',
        Degraded: 'True/DegradedConditions',
        Ready: 'False/NotReady',
      },
    ],
    [
      'a class that an older instance has',
      {
        ...withObserved({ service: undefined, deployment: undefined }),
        admission: { reason: 'ClassConflict', message: 'edge/a has it' },
        failures: undefined,
        certificate: { reason: 'NotAdmitted', secretName: '', message: 'not looked at' },
        serviceType: undefined,
      },
      {
        Admitted: 'False/ClassConflict',
        CertificateReady: 'Unknown/NotAdmitted',
        DeploymentAvailable: 'False/DeploymentNotFound',
        LoadBalancerReady: 'False/ServiceNotFound',
        Available: 'False/Unavailable',
      },
    ],
    [
      'an object of somebody else in the way',
      {
        ...healthy,
        failures: [
          { reason: 'ApplyFailed', object: 'Role r', message: 'no' },
          { reason: 'NameConflict', object: 'Service edge ingress-public', message: 'exists' },
        ],
      },
      {
        ObjectsApplied: 'False/NameConflict',
        Available: 'True/Available',
        Degraded: 'False/AsExpected',
        Ready: 'False/NotReady',
      },
    ],
    [
      '0 replicas',
      withObserved({ deployment: deployment({ wanted: 0 }) }),
      {
        DeploymentAvailable: 'False/ScaledToZero',
        Available: 'False/ScaledToZero',
        Degraded: 'False/AsExpected',
        Progressing: 'False/NotProgressing',
        Ready: 'False/ScaledToZero',
      },
    ],
    [
      'a paused instance',
      { ...healthy, paused: true, failures: undefined },
      { Paused: 'True/Paused', ObjectsApplied: 'Unknown/Paused', Ready: 'True/Ready' },
    ],
    [
      'a Service without load balancer',
      withObserved({ service: service('NodePort') }, { serviceType: 'NodePort' }),
      { LoadBalancerReady: 'True/NotWanted', Available: 'True/Available' },
    ],
    [
      'a load balancer that is awaited',
      withObserved({ service: service('LoadBalancer') }),
      { LoadBalancerReady: 'False/LoadBalancerPending', Available: 'False/Unavailable', Degraded: 'False/AsExpected' },
    ],
    [
      'a load balancer that failed',
      withObserved({ service: service('LoadBalancer'), balancerFailure: 'quota' }),
      { LoadBalancerReady: 'False/SyncLoadBalancerFailed' },
    ],
    [
      'a certificate that expired',
      { ...healthy, certificate: { reason: 'Expired', secretName: 'mine', facts, message: 'renew it' } },
      { CertificateReady: 'False/Expired', Available: 'True/Available', Ready: 'False/NotReady' },
    ],
    [
      'a rollout that the controller has not seen',
      withObserved({ deployment: deployment({ observedGeneration: 2 }) }),
      { Progressing: 'True/RollingOut', Ready: 'False/NotReady' },
    ],
    [
      'a rollout under way',
      withObserved({
        deployment: deployment({ updated: 1, progressing: { status: 'True', reason: 'ReplicaSetUpdated' } }),
      }),
      { Progressing: 'True/RollingOut', Available: 'True/Available' },
    ],
    [
      'old pods that still end',
      withObserved({ deployment: deployment({ replicas: 3 }) }),
      { Progressing: 'True/RollingOut' },
    ],
    [
      'pods that start after their node came back',
      withObserved({ deployment: deployment({ available: 1 }) }),
      { Progressing: 'False/PodsStarting', Available: 'True/Available', Ready: 'False/NotReady' },
    ],
    [
      'a rollout that does not get on',
      withObserved({
        deployment: deployment({
          updated: 1,
          progressing: { status: 'False', reason: 'ProgressDeadlineExceeded', message: 'timed out' },
        }),
      }),
      {
        Progressing: 'False/ProgressDeadlineExceeded',
        Degraded: 'True/DegradedConditions',
        Available: 'True/Available',
      },
    ],
  ])('tell of %s', (_name, findings, wanted) => {
    expect(verdicts(findings)).toMatchObject(wanted)
  })

  it.each([
    ['DeploymentAvailable', withObserved({ deployment: deployment({ available: 0 }) }), 30_000],
    ['LoadBalancerReady', withObserved({ service: service('LoadBalancer') }), 90_000],
    [
      'ObjectsApplied',
      { ...healthy, failures: [{ reason: 'ApplyFailed', object: 'Role r', message: 'no' }] } satisfies Findings,
      30_000,
    ],
  ] as const)('degrade the instance by %s only after its grace period', (type, findings, graceMs) => {
    const before = earlier(findings, graceMs - 1000)
    expect(verdicts(findings, before)['Degraded']).toBe('False/AsExpected')
    expect(graceRemainingMs(computeConditions(findings, before), now)).toBe(1000)
    const after = computeConditions(findings, earlier(findings, graceMs))
    expect(after.find(condition => condition.type === 'Degraded')).toMatchObject({
      status: 'True',
      message: expect.stringContaining(type) as string,
    })
    // What is left, if anything, is the grace of another condition.
    expect(graceRemainingMs(after, now) ?? graceMs).toBeGreaterThanOrEqual(graceMs)
  })

  it.each([
    [10, 10, 'True True True'],
    [10, 9, 'True True False'],
    [10, 5, 'True True False'],
    [10, 4, 'True False False'],
    [3, 1, 'True False False'],
    [2, 1, 'True True False'],
    [1, 1, 'True True True'],
    [1, 0, 'False False False'],
  ])('of %i proxies with %i available tell that one, half, and all are there: %s', (wanted, available, statuses) => {
    const conditions = computeConditions(withObserved({ deployment: deployment({ wanted, available }) }))
    const about = ['DeploymentAvailable', 'DeploymentReplicasMinAvailable', 'DeploymentReplicasAllAvailable']
    expect(about.map(type => conditions.find(one => one.type === type)?.status).join(' ')).toBe(statuses)
  })

  it('say which pods can not be scheduled, in the words of the scheduler, and what to do', () => {
    const pods = [pod('a', { trouble: '0/3 nodes are available: 3 node(s) had untolerated taint' }), pod('b')]
    const message = messageOf(withObserved({ deployment: deployment({ available: 0 }), pods }), 'DeploymentAvailable')
    expect(message).toContain('0 of 2 proxies are available')
    expect(message).toContain('pod a: 0/3 nodes are available')
    expect(message).toContain('kubectl describe pods -n edge')
  })

  it('name every object that could not be applied', () => {
    const failures = ['Service edge a', 'Role edge b'].map(object => ({
      reason: 'ApplyFailed' as const,
      object,
      message: 'quota',
    }))
    expect(messageOf({ ...healthy, failures }, 'ObjectsApplied')).toMatch(/Service edge a: quota; Role edge b: quota/)
  })

  it('name settings without effect, though the spec is valid', () => {
    const admission = { reason: 'Valid', warnings: ['spec.configuration.ingressNginx[foo]: has no effect'] } as const
    expect(messageOf({ ...healthy, admission }, 'Admitted')).toContain('ingressNginx[foo]')
  })

  it('never grow without end', () => {
    const failures = [{ reason: 'ApplyFailed' as const, object: 'Role r', message: 'x'.repeat(100_000) }]
    for (const { message } of computeConditions({ ...healthy, failures }))
      expect(message.length).toBeLessThanOrEqual(2048)
  })

  it('use only reasons of the published table, and their time moves with their status only', () => {
    const findings = fc.record({
      failed: fc.boolean(),
      available: fc.integer({ min: 0, max: 2 }),
      wanted: fc.integer({ min: 0, max: 2 }),
      addressed: fc.boolean(),
      expired: fc.boolean(),
      paused: fc.boolean(),
    })
    const made = findings.map(
      ({ failed, available, wanted, addressed, expired, paused }): Findings => ({
        ...withObserved({
          deployment: deployment({ wanted, available: Math.min(available, wanted) }),
          service: service('LoadBalancer', addressed ? [{ ip: '192.0.2.1' }] : []),
        }),
        failures: failed ? [{ reason: 'ApplyFailed', object: 'Role r', message: 'no' }] : [],
        paused,
        certificate: expired ? { reason: 'Expired', secretName: 's', message: 'renew it' } : healthy.certificate,
      }),
    )
    fc.assert(
      fc.property(made, made, (first, second) => {
        const before = earlier(first, 60_000)
        const after = computeConditions(second, before)
        for (const { type, reason } of after) {
          expect(conditionReasons[type as ConditionType]).toContain(reason)
        }
        const kept = (type: string, status: string) => before.find(one => one.type === type && one.status === status)
        expect(after.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual(
          after.map(({ type, status }) => kept(type, status)?.lastTransitionTime ?? '2026-06-01T12:00:00Z'),
        )
      }),
    )
  })
})

describe('the status', () => {
  it('is the same when nothing changed, also later', () => {
    const first = computeStatus(healthy, { ingressClass: 'public', namespaces: null }, undefined).status
    const later = { ...healthy, now: new Date(now.getTime() + 3_600_000) }
    expect(computeStatus(later, { ingressClass: 'public', namespaces: null }, first).status).toEqual(first)
  })

  it('keeps what was decided last when the spec is no longer valid', () => {
    const before = { ingressClass: 'public', namespaces: ['a'] }
    const { status } = computeStatus({ ...healthy, admission: { reason: 'Invalid', message: 'no' } }, undefined, before)
    expect(status).toMatchObject(before)
  })

  it('has what /scale and autoscalers need', () => {
    expect(computeStatus(healthy, undefined, undefined).status).toMatchObject({
      observedGeneration: 4,
      replicas: 2,
      readyReplicas: 2,
      selector:
        'app.kubernetes.io/name=ingress-fleet,app.kubernetes.io/component=proxy,ingressfleet.dev/ingressdeployment=public',
      nodePorts: { http: 30_080 },
      certificate: { secretName: 'ingress-public-default-tls', serialNumber: 'AB', notAfter: '2026-07-30T00:00:00Z' },
    })
  })
})

describe('addresses', () => {
  const pods = [
    pod('a', { hostAddress: '192.0.2.9' }),
    pod('b', { hostAddress: '192.0.2.3' }),
    pod('c', { hostAddress: '192.0.2.3' }),
    pod('d', { hostAddress: '192.0.2.1', ready: false }),
    pod('e'),
  ]

  it('of a load balancer are its addresses and host names', () => {
    const entries = [{ ip: '192.0.2.1' }, { hostname: 'lb.example' }]
    expect(addresses({ service: service('LoadBalancer', entries), pods })).toEqual([
      { type: 'IPAddress', value: '192.0.2.1' },
      { type: 'Hostname', value: 'lb.example' },
    ])
  })

  it('of node ports are the nodes with a ready pod, each once, sorted', () => {
    expect(addresses({ service: service('NodePort'), pods }).map(({ value }) => value)).toEqual([
      '192.0.2.3',
      '192.0.2.9',
    ])
  })

  it('of a cluster IP is that', () => {
    expect(addresses({ service: service('ClusterIP'), pods })).toEqual([{ type: 'IPAddress', value: '10.96.0.7' }])
  })

  it('are none without a Service', () => {
    expect(addresses({ service: undefined, pods })).toEqual([])
  })
})
