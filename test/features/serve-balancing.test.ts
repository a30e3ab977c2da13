import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ingress, ingressDeployment, service, slice, tlsSecret } from './sample-objects.ts'
import { type Answer, Serving } from './serving.ts'

/** From the manifests of a cluster to what clients see; the finer points are in `session-affinity` and `balancing`. */

const sticky = { affinity: 'cookie', 'session-cookie-name': 'SERVERID' } as const
const pods = ['east-1', 'east-2', 'west-1', 'west-2']

const serving = new Serving()
let ports: readonly number[]

beforeAll(async () => {
  ports = await Promise.all(pods.map(async name => serving.backend(name, (_, response) => response.end(name))))
  serving.write('instance.yaml', ingressDeployment({ configuration: { tlsRedirect: false } }))
  serving.write('service.yaml', service('echo'))
  writeSlices(name => name.slice(0, 4))
  writeIngresses(sticky)
  serving.write('secret.yaml', await tlsSecret('tls', ['tls.foo.com']))
  await serving.start('--zone', 'east')
})

afterAll(async () => {
  await serving[Symbol.asyncDispose]()
})

function writeSlices(zoneOf: (name: string) => string | undefined): void {
  serving.write('slices.yaml', ...pods.map((name, index) => slice(name, 'echo', ports[index], zoneOf(name))))
}

function writeIngresses(annotations: Readonly<Record<string, string>>): void {
  const tls = [{ hosts: ['tls.foo.com'], secretName: 'tls' }]
  const insecure = { ...sticky, 'session-cookie-secure': 'false' }
  serving.write(
    'ingresses.yaml',
    ingress('changing', [{ host: 'change.foo.com', service: 'echo' }], { annotations }),
    ingress(
      'paths',
      [
        { host: 'paths.foo.com', path: '/something', service: 'echo' },
        { host: 'paths.foo.com', path: '/somewhereelse', service: 'echo' },
      ],
      { annotations: sticky },
    ),
    ingress('no-host', [{ service: 'echo' }], { annotations: { affinity: 'cookie', 'affinity-mode': 'persistent' } }),
    ingress('tls', [{ host: 'tls.foo.com', service: 'echo' }], { annotations: insecure, tls }),
    ingress('hashed', [{ host: 'hash.foo.com', service: 'echo' }], {
      annotations: { 'upstream-hash-by': '$request_uri' },
    }),
    ingress('refused', [{ host: 'refused.foo.com', service: 'echo' }], {
      annotations: { 'upstream-hash-by': '$scheme' },
    }),
    ingress('spread', [{ host: 'spread.foo.com', service: 'echo' }]),
  )
}

function cookieOf({ headers }: Answer): string | undefined {
  return headers['set-cookie']?.[0]?.replace(/=[\w-]{16};/, '=TOKEN;')
}

/** The pods that 40 requests reach, by two workers. */
async function reached(url: string): Promise<readonly string[]> {
  const answers = await Promise.all(Array.from({ length: 40 }, () => serving.get(url)))
  return [...new Set(answers.map(({ status, body }) => (status === 200 ? body : String(status))))].sort()
}

/** The folder is followed: what is asked again and again is what it says in the end. */
const soon = { timeout: 20_000, interval: 20 }

describe('affinity: cookie', () => {
  test('has the path of the Ingress', async () => {
    expect(cookieOf(await serving.get('http://paths.foo.com/something/a'))).toBe(
      'SERVERID=TOKEN; Path=/something; HttpOnly',
    )
    expect(cookieOf(await serving.get('http://paths.foo.com/somewhereelse'))).toBe(
      'SERVERID=TOKEN; Path=/somewhereelse; HttpOnly',
    )
  })

  test('holds for an Ingress without a host', async () => {
    expect(cookieOf(await serving.get('http://anything.foo.com/'))).toBe('INGRESSCOOKIE=TOKEN; Path=/; HttpOnly')
  })

  test('over HTTPS is Secure, whatever session-cookie-secure says; over HTTP only with it', async () => {
    expect(cookieOf(await serving.get('https://tls.foo.com/'))).toBe('SERVERID=TOKEN; Path=/; Secure; HttpOnly')
    expect(cookieOf(await serving.get('http://tls.foo.com/'))).toBe('SERVERID=TOKEN; Path=/; HttpOnly')
  })

  test('is not for another Ingress with the same Service', async () => {
    expect(cookieOf(await serving.get('http://spread.foo.com/'))).toBeUndefined()
  })

  test('follows a change of its name', async () => {
    expect(cookieOf(await serving.get('http://change.foo.com/'))).toContain('SERVERID=')
    writeIngresses({ ...sticky, 'session-cookie-name': 'OTHERCOOKIENAME' })
    await expect
      .poll(async () => cookieOf(await serving.get('http://change.foo.com/')), soon)
      .toContain('OTHERCOOKIENAME=')
  })
})

describe('upstream-hash-by', () => {
  test('keeps a target with one pod', async () => {
    expect(await reached('http://hash.foo.com/a?b')).toHaveLength(1)
  })

  test('that cannot be honoured is refused, not served otherwise', async () => {
    expect(await reached('http://refused.foo.com/')).toEqual(['503'])
    const problem = serving.log.find(({ reason, name }) => reason === 'InvalidAnnotation' && name === 'refused')
    expect(problem).toMatchObject({ field: 'metadata.annotations[nginx.ingress.kubernetes.io/upstream-hash-by]' })
  })
})

describe('loadBalance of the configuration', () => {
  test('holds for Ingresses that do not say otherwise, at once', async () => {
    const configuration = { tlsRedirect: false, loadBalance: { algorithm: 'consistent_hash' } }
    serving.write('instance.yaml', ingressDeployment({ configuration }))
    await expect.poll(async () => reached('http://spread.foo.com/'), soon).toHaveLength(1)
    serving.write('instance.yaml', ingressDeployment({ configuration: { tlsRedirect: false } }))
    await expect.poll(async () => reached('http://spread.foo.com/'), soon).toHaveLength(2)
  })
})

describe('hints of EndpointSlices', () => {
  test('keep traffic in the zone of the proxy', async () => {
    expect(await reached('http://spread.foo.com/')).toEqual(['east-1', 'east-2'])
  })

  test('do not count when they have no endpoint for it, nor when one endpoint has none', async () => {
    writeSlices(() => 'west')
    await expect.poll(async () => reached('http://spread.foo.com/'), soon).toEqual(pods)
    writeSlices(name => (name === 'west-2' ? undefined : 'east'))
    await expect.poll(async () => reached('http://spread.foo.com/'), soon).toEqual(pods)
    writeSlices(name => (name === 'west-2' ? 'east' : 'west'))
    await expect.poll(async () => reached('http://spread.foo.com/'), soon).toEqual(['west-2'])
    writeSlices(name => name.slice(0, 4))
    await expect.poll(async () => reached('http://spread.foo.com/'), soon).toEqual(['east-1', 'east-2'])
  })
})
