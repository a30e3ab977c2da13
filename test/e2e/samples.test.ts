import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import type { IngressDeployment } from '../../src/api/ingressdeployment.ts'
import type { Condition, KubernetesObject } from '../../src/api/kubernetes.ts'
import { parseEcho } from './conformance.ts'
import { apply, getObject, kubectl, listObjects } from './kubectl.ts'
import { echo, ingress, ingressDeployment, namespace } from './manifests.ts'
import { OutsideClient } from './outside-client.ts'
import { rightsReport } from './rights.ts'
import { selfSigned, tlsSecret } from './tls-secret.ts'

const place = 'samples'
const apps = ['team-a', 'team-a-staging', 'team-b'] as const
const withinSeconds = { timeout: 30_000, interval: 200 }
let client: OutsideClient

function instance(name: string): Promise<IngressDeployment & KubernetesObject> {
  return getObject('igd', name, '-n', place)
}

async function addressOf(name: string): Promise<string> {
  return (await instance(name)).status?.addresses?.[0]?.value ?? ''
}

async function conditionOf(name: string, type: string): Promise<Condition | undefined> {
  return (await instance(name)).status?.conditions?.find(condition => condition.type === type)
}

beforeAll(async () => {
  client = new OutsideClient()
  await apply(namespace(place), ...apps.map(namespace), ...apps.flatMap(team => echo({ namespace: team, name: 'app' })))
  await kubectl('apply', '-n', place, '-k', 'config/samples')
})
afterAll(async () => {
  await client?.close()
  await kubectl('delete', 'igd', '--all', '-n', place, '--timeout=60s', '--ignore-not-found')
  await kubectl('delete', 'namespace', place, ...apps, '--wait=false')
})

describe('config/samples', () => {
  test('every sample becomes Available', async () => {
    const waited = await kubectl('wait', 'igd', '--all', '-n', place, '--for=condition=Available', '--timeout=120s')
    expect(waited.trim().split('\n')).toHaveLength(4)
  })

  test('node ports are those of the sample', async () => {
    const response = await client.request({ url: 'http://a.test/', connectTo: `${await addressOf('edge')}:30080` })
    expect(response.status).toBe(404)
  })

  test('a certificate of its own is served as soon as its Secret exists, by the pods that run', async () => {
    expect(await conditionOf('example-com', 'CertificateReady')).toMatchObject({
      status: 'False',
      reason: 'CertificateNotFound',
    })
    const podsBefore = (await listObjects('pods', '-n', place)).map(pod => pod.metadata.name)

    const pair = await selfSigned('*.example.com')
    await apply(tlsSecret({ namespace: place, name: 'wildcard-example-com' }, pair))
    await vi.waitFor(
      async () =>
        expect(await conditionOf('example-com', 'CertificateReady')).toMatchObject({ status: 'True', reason: 'Valid' }),
      withinSeconds,
    )
    const request = { url: 'https://www.example.com/', connectTo: await addressOf('example-com'), ca: pair.certificate }
    await vi.waitFor(async () => {
      expect((await client.request(request)).certificateNames).toBe('DNS:*.example.com')
    }, withinSeconds)
    expect((await listObjects('pods', '-n', place)).map(pod => pod.metadata.name)).toEqual(podsBefore)
  })
})

describe('an instance that is restricted to namespaces', () => {
  test('has the rights of the golden file: none outside of them', async () => {
    const report = await rightsReport(`system:serviceaccount:${place}:ingress-team-a`, {
      'its own namespace': place,
      'a namespace of its scope': 'team-a',
      elsewhere: 'team-b',
    })
    await expect(report).toMatchFileSnapshot('../golden/e2e/proxy-rights-restricted.txt')
  })

  test.runIf(inject('e2eCluster').onNode)('serves the Ingresses of these namespaces only', async () => {
    const rule = { path: '/', pathType: 'Prefix', service: 'app' } as const
    await apply(
      ...apps.map(team =>
        ingress({ namespace: team, name: 'app', className: 'team-a', rules: [{ ...rule, host: `${team}.test` }] }),
      ),
    )
    const connectTo = await addressOf('team-a')
    for (const team of ['team-a', 'team-a-staging']) {
      const response = await vi.waitFor(async () => {
        const received = await client.request({ url: `http://${team}.test/`, connectTo })
        expect(received.status).toBe(200)
        return received
      }, withinSeconds)
      expect(parseEcho(response)).toMatchObject({ service: 'app', host: `${team}.test` })
    }
    expect((await client.request({ url: 'http://team-b.test/', connectTo })).status).toBe(404)
  })
})

describe('two instances that claim one class', () => {
  test('the second is refused by the name of the first, and admitted when that is gone', async () => {
    const second = { ingressClass: { name: 'public' }, replicas: 0, service: { type: 'ClusterIP' } }
    await apply(ingressDeployment({ namespace: place, name: 'second' }, second))
    await vi.waitFor(async () => {
      const admitted = await conditionOf('second', 'Admitted')
      expect(admitted).toMatchObject({ status: 'False', reason: 'ClassConflict' })
      expect(admitted?.message).toContain(`${place}/public`)
    }, withinSeconds)

    await kubectl('delete', 'igd', 'public', '-n', place, '--timeout=60s')
    await vi.waitFor(
      async () => expect(await conditionOf('second', 'Admitted')).toMatchObject({ status: 'True' }),
      withinSeconds,
    )
  })
})
