import { afterAll, beforeAll, expect, test } from 'vitest'
import { conformanceClass, type Feature, parseEcho, startFeature } from './conformance.ts'
import { ingress } from './manifests.ts'

let feature: Feature

beforeAll(async () => {
  feature = await startFeature({
    name: 'default-backend',
    services: ['echo-service'],
    objects: namespace => [
      ingress({ namespace, name: 'default-backend', className: conformanceClass, defaultService: 'echo-service' }),
    ],
  })
})
afterAll(() => feature?.end())

const rows = [
  { method: 'GET', host: 'my-host', path: '/' },
  { method: 'GET', host: 'my-host', path: '/sub-path' },
  { method: 'POST', host: 'some-host', path: '/' },
  { method: 'PUT', host: '', path: '/resource' },
  { method: 'DELETE', host: 'some-host', path: '/resource' },
  { method: 'PATCH', host: 'my-host', path: '/resource' },
]

test.each(rows)(
  'an Ingress with only a default backend sends $method "$host" $path there',
  async ({ method, host, path }) => {
    const response = await feature.send({
      method,
      url: `http://${host || feature.address}${path}`,
      headers: { 'user-agent': 'Go-http-client/1.1' },
    })

    const request = parseEcho(response)
    expect(request.service).toBe('echo-service')
    expect(response.httpVersion).toBe('1.1')
    for (const name of ['content-length', 'content-type', 'date', 'server']) {
      expect(response.headers).toHaveProperty(name, expect.stringMatching(/./))
    }
    expect(request).toMatchObject({ method, path, protocol: 'HTTP/1.1' })
    expect(request.headers['User-Agent']).toEqual(['Go-http-client/1.1'])
  },
)
