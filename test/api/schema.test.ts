import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { createIngressDeploymentValidator, validateIngressDeployment } from '../../src/api/schema.ts'

const validate = createIngressDeploymentValidator()

function withSpec(spec: unknown): unknown {
  return {
    apiVersion: 'ingressfleet.dev/v1alpha1',
    kind: 'IngressDeployment',
    metadata: { namespace: 'edge', name: 'public' },
    spec,
  }
}

/** `field: message` of every problem. */
function problemsOf(spec: unknown): readonly string[] {
  const { problems } = validate(withSpec(spec))
  return (problems ?? []).map(({ field, message }) => `${field}: ${message}`)
}

describe('the schema check', () => {
  it('fills in every default of an empty spec', () => {
    expect(validate(withSpec({})).value?.spec).toEqual({
      ingressClass: { default: false, controller: 'ingressfleet.dev/ingress-controller' },
      replicas: 2,
      service: { type: 'LoadBalancer', ports: { http: { port: 80 }, https: { port: 443 } } },
      pod: { resources: { requests: { cpu: '100m', memory: '128Mi' } }, terminationGracePeriodSeconds: 90 },
      scope: {},
      tls: { defaultCertificate: {} },
      configuration: {},
      paused: false,
    })
  })

  it('never changes its argument', () => {
    const object = withSpec({})
    const before = structuredClone(object)
    validate(object)
    expect(object).toEqual(before)
  })

  it('takes 0 replicas for what it is', () => {
    expect(validate(withSpec({ replicas: 0 })).value?.spec.replicas).toBe(0)
  })

  it('takes quantities as numbers and as text', () => {
    const resources = { requests: { cpu: 2, memory: '1.5Gi' }, limits: { cpu: '100m' } }
    expect(validate(withSpec({ pod: { resources } })).value?.spec.pod.resources).toEqual(resources)
  })

  it.each([
    [
      { service: { type: 'Ingress' } },
      'spec.service.type: must be one of LoadBalancer, NodePort, ClusterIP; it is "Ingress"',
    ],
    [{ replicas: -1 }, 'spec.replicas: must be at least 0; it is -1'],
    [{ replicas: 1001 }, 'spec.replicas: must be at most 1000; it is 1001'],
    [{ replicas: '2' }, 'spec.replicas: must be of type integer; it is "2"'],
    [{ replicas: 1.5 }, 'spec.replicas: must be of type integer; it is 1.5'],
    [{ ingressClass: { name: '' } }, 'spec.ingressClass.name: must have at least 1 characters'],
    [{ scope: { namespaces: [] } }, 'spec.scope.namespaces: must have at least 1 items'],
    [{ scope: { namespaces: ['ok', 'NOT'] } }, 'spec.scope.namespaces[1]: must match'],
    [{ pod: { imagePullSecrets: [{}] } }, 'spec.pod.imagePullSecrets[0].name: is required'],
    [{ pod: { resources: { limits: { memory: '3 apples' } } } }, 'spec.pod.resources.limits.memory: must match'],
    [{ service: { annotations: { 'a/b': 1 } } }, 'spec.service.annotations.a/b: must be of type string; it is 1'],
    [
      { servce: {} },
      'spec.servce: is not a field of ingressfleet.dev; allowed here: ingressClass, replicas, service, pod',
    ],
    [
      { configuration: { limits: { maxBodyBytes: 2 ** 60 } } },
      'spec.configuration.limits.maxBodyBytes: must be a valid int64',
    ],
  ])('names the field and what is allowed: %j', (spec, message) => {
    expect(problemsOf(spec).join('\n')).toContain(message)
  })

  it('lists several problems at once, and not without end', () => {
    expect(problemsOf({ replicas: -1, paused: 'yes' })).toHaveLength(2)
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`field${index}`, 1]))
    expect(problemsOf(many)).toHaveLength(20)
  })

  it('cuts a long value short in its message', () => {
    expect(problemsOf({ service: { type: 'x'.repeat(10_000) } })[0]?.length).toBeLessThan(300)
  })

  it.each([
    [null, 'apiVersion'],
    ['text', 'apiVersion'],
    [{ apiVersion: 'v1', kind: 'Pod' }, 'apiVersion'],
    [{ apiVersion: 'ingressfleet.dev/v1alpha1', kind: 'Pod' }, 'kind'],
  ])('refuses what is no IngressDeployment: %j', (object, field) => {
    expect(validateIngressDeployment(object).problems).toMatchObject([{ field, reason: 'Invalid' }])
  })

  it('drops fields of a newer CRD where it is told to, and nothing else', () => {
    const tolerant = createIngressDeploymentValidator({ unknownFields: 'drop' })
    const { value } = tolerant(withSpec({ newer: true, service: { newer: 1, annotations: { any: 'key' } } }))
    expect(value?.spec).not.toHaveProperty('newer')
    expect(value?.spec.service).toMatchObject({ type: 'LoadBalancer', annotations: { any: 'key' } })
    expect(value?.spec.service).not.toHaveProperty('newer')
    const affinity = { nodeAffinity: { any: ['thing'] } }
    const topologySpreadConstraints = [
      { maxSkew: 1, topologyKey: 'a', whenUnsatisfiable: 'DoNotSchedule', minDomains: 2 },
    ]
    expect(tolerant(withSpec({ pod: { affinity, topologySpreadConstraints } })).value?.spec.pod).toMatchObject({
      affinity,
      topologySpreadConstraints,
    })
    expect(tolerant(withSpec({ replicas: -1 })).problems).toHaveLength(1)
  })

  it('names the object in each problem', () => {
    expect(validate(withSpec({ replicas: -1 })).problems?.[0]?.object).toEqual({
      apiVersion: 'ingressfleet.dev/v1alpha1',
      kind: 'IngressDeployment',
      namespace: 'edge',
      name: 'public',
    })
  })

  it('takes every sample', () => {
    const folder = join(import.meta.dirname, '../../config/samples')
    const files = readdirSync(folder).filter(file => file.endsWith('.yaml') && file !== 'kustomization.yaml')
    const samples = files
      .flatMap(file =>
        parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map(document => document.toJS() as unknown),
      )
      .filter(object => (object as { kind?: string } | null)?.kind === 'IngressDeployment')
    expect(samples.length).toBeGreaterThan(3)
    for (const sample of samples) expect(validate(sample).problems).toBeUndefined()
  })
})
