import { afterAll, beforeAll, expect, test } from 'vitest'
import { conformanceClass, endpointsReady, type Feature, parseEcho, startFeature } from './conformance.ts'
import { kubectl } from './kubectl.ts'
import { ingress } from './manifests.ts'

let feature: Feature

beforeAll(async () => {
  feature = await startFeature({
    name: 'load-balancing',
    services: ['echo-service'],
    objects: namespace => [
      ingress({
        namespace,
        name: 'path-rules',
        className: conformanceClass,
        rules: [{ host: 'load-balancing', path: '/', pathType: 'Exact', service: 'echo-service' }],
      }),
    ],
  })
  await kubectl('scale', 'deployment/echo-service', '-n', feature.namespace, '--replicas=10')
  await endpointsReady(feature.namespace, 'echo-service', 10)
})
afterAll(() => feature?.end())

test('100 requests to a service of 10 pods are all answered, and reach all 10', async () => {
  const pods = new Set<string>()
  for (let sent = 0; sent < 100; sent++) {
    const answer = parseEcho(await feature.send({ url: 'http://load-balancing/' }))
    expect(answer.service).toBe('echo-service')
    pods.add(answer.pod)
  }
  expect(pods.size).toBe(10)
})
