import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { IngressDeployment } from '../../src/api/ingressdeployment.ts'
import type { KubernetesObject } from '../../src/api/kubernetes.ts'
import type { LoadReport } from './client-messages.ts'
import { endpointsReady, parseEcho } from './conformance.ts'
import { apply, getObject, kubectl, listObjects } from './kubectl.ts'
import { echo, ingress, ingressDeployment, namespace } from './manifests.ts'
import { OutsideClient } from './outside-client.ts'

const fleets = 'rollout-fleets'
const apps = 'rollout-apps'
const url = 'http://rollout.example.test/'
let client: OutsideClient
let address = ''

async function proxies(): Promise<readonly string[]> {
  return (await listObjects('pods', '-n', fleets)).map(pod => pod.metadata.name).toSorted()
}

beforeAll(async () => {
  client = new OutsideClient()
  await apply(
    namespace(fleets),
    namespace(apps),
    ingressDeployment({ namespace: fleets, name: 'rolling' }, { replicas: 1, service: { type: 'LoadBalancer' } }),
    ...echo({ namespace: apps, name: 'app', replicas: 2 }),
    ingress({
      namespace: apps,
      name: 'app',
      className: 'rolling',
      rules: [{ host: 'rollout.example.test', path: '/', pathType: 'Prefix', service: 'app' }],
    }),
  )
  await kubectl('wait', 'igd/rolling', '-n', fleets, '--for=condition=Available', '--timeout=90s')
  await endpointsReady(apps, 'app', 2)
  const { status } = await getObject<IngressDeployment & KubernetesObject>('igd', 'rolling', '-n', fleets)
  address = status?.addresses?.[0]?.value ?? ''
  await vi.waitFor(async () => parseEcho(await client.request({ url, connectTo: address })), { timeout: 20_000 })
})
afterAll(async () => {
  await client?.close()
  await kubectl('delete', 'igd', 'rolling', '-n', fleets, '--timeout=60s', '--ignore-not-found')
  await kubectl('delete', 'namespace', fleets, apps, '--wait=false')
})

describe('the proxies themselves, under continuous requests', () => {
  async function underLoad(act: () => Promise<void>): Promise<readonly LoadReport[]> {
    const requests = [
      { url, connectTo: address },
      { url: `${url}?delayMs=300`, connectTo: address },
    ]
    const loads = await Promise.all(
      (['new', 'kept'] as const).map(connections =>
        client.load({ requests, connections, concurrency: 3, pauseMs: 10 }),
      ),
    )
    await act()
    return Promise.all(loads.map(load => load.stop()))
  }

  test('kubectl scale igd changes their number and loses no request', async () => {
    const reports = await underLoad(async () => {
      await kubectl('scale', 'igd/rolling', '-n', fleets, '--replicas=3')
      await kubectl('wait', 'igd/rolling', '-n', fleets, '--for=jsonpath={.status.readyReplicas}=3', '--timeout=60s')
      await kubectl('scale', 'igd/rolling', '-n', fleets, '--replicas=2')
      await vi.waitFor(async () => expect(await proxies()).toHaveLength(2), { timeout: 60_000, interval: 300 })
    })
    for (const report of reports) expect(report).toMatchObject({ failed: 0, failures: [] })
  })

  test('the scale subresource has the selector of the pods, as autoscalers need it', async () => {
    const path = `/apis/ingressfleet.dev/v1alpha1/namespaces/${fleets}/ingressdeployments/rolling/scale`
    const { status } = JSON.parse(await kubectl('get', '--raw', path)) as {
      readonly status: { readonly replicas: number; readonly selector: string }
    }
    const selected = await listObjects('pods', '-n', fleets, '-l', status.selector)
    expect(selected.map(pod => pod.metadata.name).toSorted()).toEqual(await proxies())
    expect(status.replicas).toBe(2)
  })

  test('a rolling update replaces them all and loses no request', async () => {
    const before = await proxies()
    const reports = await underLoad(async () => {
      const change = { spec: { pod: { annotations: { 'example.test/round': 'two' } } } }
      await kubectl('patch', 'igd/rolling', '-n', fleets, '--type=merge', '-p', JSON.stringify(change))
      await vi.waitFor(
        async () => {
          const after = await proxies()
          expect(after).toHaveLength(2)
          expect(after.filter(name => before.includes(name))).toEqual([])
        },
        { timeout: 120_000, interval: 300 },
      )
    })
    process.stdout.write(`${reports.map(({ sent, failed }) => `${sent} requests, ${failed} failed`).join('; ')}\n`)
    for (const report of reports) expect(report).toMatchObject({ failed: 0, failures: [] })
  })

  test('a changed setting is applied without replacing a pod', async () => {
    const before = await proxies()
    const large = { url, connectTo: address, method: 'POST', body: 'x'.repeat(3000) }
    expect((await client.request(large)).status).toBe(200)
    const change = { spec: { configuration: { limits: { maxBodyBytes: 2000 } } } }
    await kubectl('patch', 'igd/rolling', '-n', fleets, '--type=merge', '-p', JSON.stringify(change))
    await vi.waitFor(async () => expect((await client.request(large)).status).toBe(413), {
      timeout: 30_000,
      interval: 200,
    })
    expect(await proxies()).toEqual(before)
  })
})

describe('what an IngressDeployment may say', () => {
  test('a nodePort of a ClusterIP Service is refused, with the field and what is allowed', async () => {
    const wrong = ingressDeployment(
      { namespace: fleets, name: 'wrong' },
      { service: { type: 'ClusterIP', ports: { http: { nodePort: 30099 } } } },
    )
    await expect(apply(wrong)).rejects.toThrow(
      'service.ports.*.nodePort is allowed with type NodePort or LoadBalancer only',
    )
  })
})
