import { beforeAll, describe, expect, it } from 'vitest'
import type { IngressDeployment } from '../../src/api/ingressdeployment.ts'
import type { Secret } from '../../src/api/kubernetes.ts'
import type { Problem } from '../../src/api/problem.ts'
import { generateSelfSigned, type IssuedKeyPair } from '../../src/certificates/generate.ts'
import type { EventRequest } from '../../src/kube/event-recorder.ts'
import type { WatchedIngress } from '../../src/operator/caches.ts'
import { decideGenerated, judgeReferred } from '../../src/operator/certificate.ts'
import { classWinner } from '../../src/operator/class-claims.ts'
import { IngressReports } from '../../src/operator/ingress-reports.ts'
import { desiredIngressStatus } from '../../src/operator/ingress-status.ts'
import { belongsTo } from '../../src/operator/ownership.ts'
import { claimedClass, plan } from '../../src/operator/plan.ts'

const now = new Date('2026-06-01T12:00:00Z')
const dayMs = 24 * 3_600_000

describe('who has a class', () => {
  const claimant = (name: string, creationTimestamp: string, uid: string): IngressDeployment =>
    ({ metadata: { namespace: 'edge', name, creationTimestamp, uid } }) as unknown as IngressDeployment
  const old = claimant('old', '2026-01-01T00:00:00Z', 'z')
  const young = claimant('young', '2026-01-02T00:00:00Z', 'a')

  it('is the oldest claimant, in whatever order they come', () => {
    expect(classWinner([young, old])).toBe(old)
    expect(classWinner([old, young])).toBe(old)
  })

  it('is the smallest uid of those made in the same second', () => {
    const twin = claimant('twin', '2026-01-01T00:00:00Z', 'b')
    expect(classWinner([old, twin])).toBe(twin)
  })

  it('is nobody when nobody claims it', () => {
    expect(classWinner([])).toBeUndefined()
  })

  it('is told by the name of the object when the spec says nothing that can be read', () => {
    for (const spec of [undefined, {}, { ingressClass: { name: 7 } }, { ingressClass: 'x' }]) {
      expect(claimedClass({ ...old, spec } as unknown as IngressDeployment)).toBe('old')
    }
  })
})

describe('the default certificate', () => {
  let pair: IssuedKeyPair
  beforeAll(async () => {
    pair = await generateSelfSigned({ hosts: ['a.example'], now })
  })
  const secret = ({ certificate, key }: IssuedKeyPair): Secret => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'edge', name: 'tls' },
    data: { 'tls.crt': Buffer.from(certificate).toString('base64'), 'tls.key': Buffer.from(key).toString('base64') },
  })
  const at = (days: number): Date => new Date(now.getTime() + days * dayMs)

  it('that was generated is kept while it is good', () => {
    const decision = decideGenerated(secret(pair), ['A.example'], at(1))
    expect(decision).toMatchObject({ action: 'keep', keyPair: pair })
  })

  it('that was generated is renewed when two thirds of its life are over', () => {
    expect(decideGenerated(secret(pair), ['a.example'], at(59)).action).toBe('keep')
    expect(decideGenerated(secret(pair), ['a.example'], at(61))).toMatchObject({
      action: 'issue',
      why: 'it is time to renew it',
    })
  })

  it.each([
    ['is missing', () => undefined],
    ['is for other hosts', () => secret(pair), ['b.example']],
    ['is for too few hosts', () => secret(pair), ['a.example', 'b.example']],
    ['has no key', () => secret({ ...pair, key: '' })],
    ['is no base64 at all', () => ({ ...secret(pair), data: { 'tls.crt': '%%', 'tls.key': '%%' } })],
  ] satisfies readonly (readonly [string, () => Secret | undefined, string[]?])[])(
    'that was generated is made anew when it %s',
    (_name, given, hosts = ['a.example']) => {
      expect(decideGenerated(given(), hosts, now).action).toBe('issue')
    },
  )

  it('of the user is judged, and never replaced', () => {
    expect(judgeReferred('tls', undefined, now).reason).toBe('CertificateNotFound')
    expect(judgeReferred('tls', secret(pair), now).reason).toBe('Valid')
    expect(judgeReferred('tls', secret(pair), at(100)).reason).toBe('Expired')
    expect(judgeReferred('tls', secret({ ...pair, key: '' }), now).reason).toBe('MissingData')
  })
})

describe('whose an object is', () => {
  const instance = { namespace: 'edge', name: 'public' }
  const labels = {
    'app.kubernetes.io/managed-by': 'ingress-fleet',
    'ingressfleet.dev/ingressdeployment': 'public',
    'ingressfleet.dev/ingressdeployment-namespace': 'edge',
  }
  const owner = { apiVersion: 'v1', kind: 'X', name: 'x', controller: true }
  const object = (metadata: object) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'ingress-public', ...metadata },
  })

  it('is told by all three labels, and by nobody else controlling it', () => {
    expect(belongsTo(instance, 'u', object({ labels }))).toBe(true)
    expect(belongsTo(instance, 'u', object({ labels, ownerReferences: [{ ...owner, uid: 'u' }] }))).toBe(true)
    expect(belongsTo(instance, 'u', object({ labels, ownerReferences: [{ ...owner, uid: 'other' }] }))).toBe(false)
    expect(belongsTo(instance, 'u', object({}))).toBe(false)
    for (const key of Object.keys(labels)) {
      expect(belongsTo(instance, 'u', object({ labels: { ...labels, [key]: 'other' } }))).toBe(false)
    }
  })
})

describe("an Ingress' status", () => {
  const ingress = (statusWritten: boolean, entries: readonly object[] = []): WatchedIngress => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { namespace: 'app', name: 'web' },
    status: { loadBalancer: { ingress: entries } },
    statusWritten,
  })
  const serving = { key: 'edge/public', paused: false, addresses: [{ type: 'IPAddress', value: '192.0.2.1' }] } as const

  it.each([
    ['gets the addresses of who serves it', ingress(false), serving, [{ ip: '192.0.2.1' }]],
    ['is left alone when it says so already', ingress(true, [{ ip: '192.0.2.1' }]), serving, undefined],
    [
      'is taken over from another controller when we serve it',
      ingress(false, [{ ip: '10.0.0.1' }]),
      serving,
      [{ ip: '192.0.2.1' }],
    ],
    ['is cleared when nobody serves it and we wrote it', ingress(true, [{ ip: '192.0.2.1' }]), undefined, []],
    ['of another controller is left alone', ingress(false, [{ ip: '10.0.0.1' }]), undefined, undefined],
    [
      'is cleared when there is no address any more',
      ingress(true, [{ ip: '192.0.2.1' }]),
      { ...serving, addresses: [] },
      [],
    ],
    [
      'is left alone while addresses are not known',
      ingress(true, [{ ip: '192.0.2.1' }]),
      { ...serving, addresses: undefined },
      undefined,
    ],
    [
      'is left alone while the instance is paused',
      ingress(true, [{ ip: '10.0.0.1' }]),
      { ...serving, paused: true },
      undefined,
    ],
  ])('%s', (_name, object, claimant, wanted) => {
    expect(desiredIngressStatus(object, claimant)).toEqual(wanted)
  })
})

describe('events about Ingresses', () => {
  const ingress = (generation: number, statusWritten = false): WatchedIngress => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { namespace: 'app', name: 'web', uid: 'u', generation },
    statusWritten,
  })
  const problem: Problem = {
    object: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace: 'app', name: 'web', uid: 'u' },
    field: 'spec.rules[0]',
    reason: 'ServiceNotFound',
    message: 'there is no Service app',
  }
  const recording = (): { reports: IngressReports; told: string[] } => {
    const told: string[] = []
    const reports = new IngressReports(({ type, reason, message }: EventRequest) =>
      told.push(`${type} ${reason} ${message}`),
    )
    return { reports, told }
  }
  const sync = 'Normal Sync Scheduled for sync'
  const warning = 'Warning ServiceNotFound spec.rules[0]: there is no Service app'

  it('tell of each accepted version once', () => {
    const { reports, told } = recording()
    for (const generation of [1, 1, 2, 2]) reports.report('k', { served: [ingress(generation)], problems: [] })
    expect(told).toEqual([sync, sync])
  })

  it('tell of a problem once while it lasts, and accept the Ingress when it is over', () => {
    const { reports, told } = recording()
    for (const problems of [[problem], [problem], [], [], [problem]])
      reports.report('k', { served: [ingress(1)], problems })
    expect(told).toEqual([warning, sync, warning])
  })

  it('do not tell again after a restart of what was accepted before', () => {
    const { reports, told } = recording()
    reports.report('k', { served: [ingress(1, true)], problems: [] })
    expect(told).toEqual([])
    reports.report('k', { served: [ingress(2, true)], problems: [] })
    expect(told).toEqual([sync])
  })
})

describe('a plan', () => {
  const context = {
    operatorImage: 'registry.example:5000/ingress-fleet',
    operatorServiceAccount: { namespace: 'system', name: 'operator' },
    namespaces: undefined,
    secretNamespaces: [],
  }
  const object = (spec: object): object => ({
    apiVersion: 'ingressfleet.dev/v1alpha1',
    kind: 'IngressDeployment',
    metadata: { namespace: 'edge', name: 'public' },
    spec,
  })

  it('takes namespaces of the scope as they are where there is no cluster', () => {
    expect(plan(object({ scope: { namespaces: ['b', 'a'] } }), context).plan?.readNamespaces).toEqual(['a', 'b'])
  })

  it.each([
    ['registry.example:5000/ingress-fleet', undefined],
    ['registry.example:5000/ingress-fleet:1.2.3', '1.2.3'],
    ['ingress-fleet:v1@sha256:00ff', 'v1'],
    ['ingress-fleet@sha256:00ff', undefined],
  ])('reads the version of image %s as %s', (image, version) => {
    expect(plan(object({ pod: { image } }), context).plan?.pod.version).toBe(version)
  })

  it('is refused with the problems of schema and rules alike', () => {
    expect(plan(object({ replicas: -1 }), context)).toMatchObject({ problems: [{ field: 'spec.replicas' }] })
    expect(plan(object({ scope: { namespaces: ['a'], namespaceSelector: {} } }), context)).toMatchObject({
      problems: [{ field: 'spec.scope' }],
    })
  })

  it('applies although a setting has no effect, and warns of it', () => {
    const planned = plan(object({ configuration: { ingressNginx: { 'no-such-key': '1' } } }), context)
    expect(planned.plan).toBeDefined()
    expect(planned).toMatchObject({ warnings: [{ field: expect.stringContaining('no-such-key') as string }] })
  })
})
