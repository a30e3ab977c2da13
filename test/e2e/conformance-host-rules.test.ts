import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { conformanceClass, type Feature, parseEcho, startFeature } from './conformance.ts'
import { ingress } from './manifests.ts'
import { selfSigned, tlsSecret } from './tls-secret.ts'

const pair = await selfSigned('foo.bar.com')
let feature: Feature

beforeAll(async () => {
  feature = await startFeature({
    name: 'host-rules',
    services: ['wildcard-foo-com', 'foo-bar-com'],
    objects: namespace => [
      tlsSecret({ namespace, name: 'conformance-tls' }, pair),
      ingress({
        namespace,
        name: 'host-rules',
        className: conformanceClass,
        tls: [{ hosts: ['foo.bar.com'], secretName: 'conformance-tls' }],
        rules: [
          { host: '*.foo.com', path: '/', pathType: 'Prefix', service: 'wildcard-foo-com' },
          { host: 'foo.bar.com', path: '/', pathType: 'Prefix', service: 'foo-bar-com', port: 'http' },
        ],
      }),
    ],
  })
})
afterAll(() => feature?.end())

describe('an Ingress with host rules', () => {
  test('serves a host of its tls section with a certificate that verifies the name', async () => {
    const response = await feature.send({ url: 'https://foo.bar.com/', ca: pair.certificate })
    expect(response.certificateNames).toBe('DNS:foo.bar.com')
    expect(parseEcho(response)).toMatchObject({ service: 'foo-bar-com', host: 'foo.bar.com' })
  })

  test('sends a request over plain HTTP to the same service, redirects followed', async () => {
    const response = await feature.send({ url: 'http://foo.bar.com/', followRedirects: true })
    expect(parseEcho(response)).toMatchObject({ service: 'foo-bar-com', host: 'foo.bar.com' })
  })

  test('sends a host of one more label to the wildcard', async () => {
    const response = await feature.send({ url: 'http://bar.foo.com/' })
    expect(parseEcho(response)).toMatchObject({ service: 'wildcard-foo-com', host: 'bar.foo.com' })
  })

  test.each([
    { host: 'subdomain.bar.com', why: 'no rule names it' },
    { host: 'baz.bar.foo.com', why: 'it has two labels more than the wildcard' },
    { host: 'foo.com', why: 'it has no label for the wildcard' },
  ])('answers 404 to $host, because $why', async ({ host }) => {
    expect((await feature.send({ url: `http://${host}/` })).status).toBe(404)
  })
})
