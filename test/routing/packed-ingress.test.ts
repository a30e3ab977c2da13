import { describe, expect, test } from 'vitest'
import type { Ingress } from '../../src/api/kubernetes.ts'
import { packIngress, unpackIngress } from '../../src/routing/packed-ingress.ts'
import { backendOf, ingress, path, rule } from './objects.ts'

const whole: Ingress = ingress({
  name: 'web',
  annotations: { 'ssl-redirect': 'false' },
  labels: { team: 'shop' },
  defaultBackend: backendOf('app'),
  rules: [rule('a.example', path('/', 'app'), path('/x', 'other', 'Exact'))],
  tls: [{ hosts: ['a.example'], secretName: 'a-tls' }],
})

describe('a packed Ingress', () => {
  test('comes back as it was', () => {
    expect(unpackIngress(packIngress(whole))).toEqual(whole)
    const { labels: _, ...metadata } = whole.metadata
    expect(unpackIngress(packIngress({ ...whole, metadata }))).toEqual({ ...whole, metadata })
  })

  test('says the same when only its status, labels or managed fields changed', () => {
    const touched: Ingress = {
      ...whole,
      metadata: {
        ...whole.metadata,
        resourceVersion: '7',
        labels: { team: 'other' },
        managedFields: [{ manager: 'x' }],
      },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    }
    expect(packIngress(touched).said).toBe(packIngress(whole).said)
    expect(packIngress(touched).labels).not.toBe(packIngress(whole).labels)
  })

  test.each([
    ['its spec', { spec: { ...whole.spec, ingressClassName: 'other' } }],
    ['an annotation', { metadata: { ...whole.metadata, annotations: {} } }],
    ['its identity', { metadata: { ...whole.metadata, uid: 'another' } }],
    ['its age', { metadata: { ...whole.metadata, creationTimestamp: '2020-01-01T00:00:00Z' } }],
  ])('says something else when %s changed', (_name, change) => {
    expect(packIngress({ ...whole, ...change }).said).not.toBe(packIngress(whole).said)
  })
})
