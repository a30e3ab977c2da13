import { afterAll, beforeAll, expect, test } from 'vitest'
import { conformanceClass, type Feature, getIngress, startFeature } from './conformance.ts'
import { apply } from './kubectl.ts'
import { ingress } from './manifests.ts'

let feature: Feature
const rules = [{ host: 'ingress-class', path: '/', pathType: 'Prefix', service: 'echo-service' }] as const

beforeAll(async () => {
  feature = await startFeature({
    name: 'ingress-class',
    services: ['echo-service'],
    objects: namespace => [ingress({ namespace, name: 'served', className: conformanceClass, rules })],
  })
})
afterAll(() => feature?.end())

test('an Ingress of a class that nobody serves gets no address and no traffic', async () => {
  const { namespace } = feature
  const foreign = [{ ...rules[0], host: 'other-class' }]
  await apply(ingress({ namespace, name: 'foreign', className: 'some-invalid-class-name', rules: foreign }))
  // An Ingress of the served class, made later, has its address: the operator has seen the one before.
  const later = [{ ...rules[0], host: 'later' }]
  await apply(ingress({ namespace, name: 'later', className: conformanceClass, rules: later }))
  await expect
    .poll(() => getIngress(namespace, 'later'), { timeout: 30_000, interval: 200 })
    .toMatchObject({ status: { loadBalancer: { ingress: [expect.anything()] } } })

  const untouched = await getIngress(namespace, 'foreign')
  expect(untouched.status?.loadBalancer?.ingress ?? []).toEqual([])
  expect((await feature.send({ url: 'http://other-class/' })).status).toBe(404)
  expect((await feature.send({ url: 'http://later/' })).status).toBe(200)
})
