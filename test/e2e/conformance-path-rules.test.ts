import { afterAll, beforeAll, expect, test } from 'vitest'
import { conformanceClass, type Feature, parseEcho, startFeature } from './conformance.ts'
import { ingress, type Rule } from './manifests.ts'

const rules: readonly Rule[] = [
  { host: 'exact-path-rules', path: '/foo', pathType: 'Exact', service: 'foo-exact' },
  { host: 'prefix-path-rules', path: '/foo', pathType: 'Prefix', service: 'foo-prefix' },
  { host: 'prefix-path-rules', path: '/aaa/bbb', pathType: 'Prefix', service: 'aaa-slash-bbb-prefix' },
  { host: 'prefix-path-rules', path: '/aaa', pathType: 'Prefix', service: 'aaa-prefix' },
  { host: 'mixed-path-rules', path: '/foo', pathType: 'Prefix', service: 'foo-prefix' },
  { host: 'mixed-path-rules', path: '/foo', pathType: 'Exact', service: 'foo-exact' },
  { host: 'trailing-slash-path-rules', path: '/aaa/bbb/', pathType: 'Prefix', service: 'aaa-slash-bbb-slash-prefix' },
  { host: 'trailing-slash-path-rules', path: '/foo/', pathType: 'Exact', service: 'foo-slash-exact' },
]

let feature: Feature

beforeAll(async () => {
  feature = await startFeature({
    name: 'path-rules',
    services: [...new Set(rules.map(rule => rule.service))],
    objects: namespace => [ingress({ namespace, name: 'path-rules', className: conformanceClass, rules })],
  })
})
afterAll(() => feature?.end())

const served = [
  { claim: 'an exact rule matches its path', url: 'http://exact-path-rules/foo', service: 'foo-exact' },
  { claim: 'a prefix rule matches its path', url: 'http://prefix-path-rules/foo', service: 'foo-prefix' },
  { claim: 'a prefix rule matches with a slash more', url: 'http://prefix-path-rules/foo/', service: 'foo-prefix' },
  { claim: 'the longest prefix wins', url: 'http://prefix-path-rules/aaa/bbb', service: 'aaa-slash-bbb-prefix' },
  {
    claim: 'the longest prefix wins below',
    url: 'http://prefix-path-rules/aaa/bbb/ccc',
    service: 'aaa-slash-bbb-prefix',
  },
  { claim: 'a shorter prefix matches itself', url: 'http://prefix-path-rules/aaa', service: 'aaa-prefix' },
  { claim: 'a shorter prefix matches what is below', url: 'http://prefix-path-rules/aaa/ccc', service: 'aaa-prefix' },
  { claim: 'exact wins over prefix for the same path', url: 'http://mixed-path-rules/foo', service: 'foo-exact' },
  {
    claim: 'the trailing slash of a prefix is ignored',
    url: 'http://trailing-slash-path-rules/aaa/bbb',
    service: 'aaa-slash-bbb-slash-prefix',
  },
  {
    claim: 'a prefix with a trailing slash matches itself',
    url: 'http://trailing-slash-path-rules/aaa/bbb/',
    service: 'aaa-slash-bbb-slash-prefix',
  },
]

test.each(served)('$claim: $url', async ({ url, service }) => {
  const { pathname, hostname } = new URL(url)
  expect(parseEcho(await feature.send({ url }))).toMatchObject({ service, host: hostname, path: pathname })
})

const refused = [
  { claim: 'an exact rule does not match with a slash more', url: 'http://exact-path-rules/foo/' },
  { claim: 'an exact rule is case-sensitive', url: 'http://exact-path-rules/FOO' },
  { claim: 'an exact rule does not match another path', url: 'http://exact-path-rules/bar' },
  { claim: 'a prefix rule is case-sensitive', url: 'http://prefix-path-rules/FOO' },
  { claim: 'a prefix rule matches whole segments only', url: 'http://prefix-path-rules/aaaccc' },
  { claim: 'an exact rule with a trailing slash needs it', url: 'http://trailing-slash-path-rules/foo' },
]

test.each(refused)('$claim: $url is answered with 404', async ({ url }) => {
  expect((await feature.send({ url })).status).toBe(404)
})
