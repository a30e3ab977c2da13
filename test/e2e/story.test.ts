import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import type { IngressDeployment } from '../../src/api/ingressdeployment.ts'
import type { Ingress, KubernetesObject, Service } from '../../src/api/kubernetes.ts'
import type { ReceivedResponse } from './client-messages.ts'
import { clusterObjects } from './cluster-objects.ts'
import { endpointsReady, parseEcho } from './conformance.ts'
import { apply, getObject, kubectl, listObjects, onNode, ReadinessWatch } from './kubectl.ts'
import { echo, ingress, ingressDeployment, namespace } from './manifests.ts'
import { mergeLoadReports } from './merge-load-reports.ts'
import { OutsideClient, type RunningLoad } from './outside-client.ts'
import { selfSigned, tlsSecret } from './tls-secret.ts'

const fleets = 'story-fleets'
const shop = 'story-shop'
const pair = await selfSigned('secure.example.test')

let client: OutsideClient
let before: ReadonlySet<string>
let publicAddress = ''
let edgeAddress = ''

interface Pod extends KubernetesObject {
  readonly status: { readonly podIP: string }
}

function send(url: string, connectTo: string): Promise<ReceivedResponse> {
  return client.request({ url, connectTo })
}

/** What `kubectl igd backends` says of a Service's port 8080: its addresses, in order, of every proxy. */
async function heldAddresses(service: string): Promise<readonly (readonly string[])[]> {
  const answers = JSON.parse(await kubectl('igd', 'backends', 'public', '-n', fleets, '-o', 'json')) as readonly {
    readonly backends: readonly {
      readonly name: string
      readonly endpoints: readonly { readonly address: string }[]
    }[]
  }[]
  return answers.map(({ backends }) => {
    const held = backends.find(backend => backend.name === `${shop}-${service}-8080`)
    return (held?.endpoints ?? []).map(endpoint => endpoint.address).toSorted()
  })
}

beforeAll(async () => {
  client = new OutsideClient()
  await apply(
    namespace(fleets),
    namespace(shop),
    ...echo({ namespace: shop, name: 'catalog' }),
    ...echo({ namespace: shop, name: 'cart' }),
  )
  await endpointsReady(shop, 'catalog', 1)
  await endpointsReady(shop, 'cart', 1)
  before = await clusterObjects(shop)
})
afterAll(async () => {
  await client?.close()
  await kubectl('delete', 'namespace', fleets, shop, '--wait=false', '--ignore-not-found')
})

describe('from an empty cluster to traffic', () => {
  test('an IngressDeployment of type LoadBalancer and one of type NodePort become Available with an address', async () => {
    await apply(
      ingressDeployment({ namespace: fleets, name: 'public' }, { replicas: 2, service: { type: 'LoadBalancer' } }),
      ingressDeployment({ namespace: fleets, name: 'edge' }, { replicas: 1, service: { type: 'NodePort' } }),
    )
    await kubectl('wait', 'igd/public', 'igd/edge', '-n', fleets, '--for=condition=Available', '--timeout=90s')

    const loadBalanced = await getObject<IngressDeployment & KubernetesObject>('igd', 'public', '-n', fleets)
    publicAddress = loadBalanced.status?.addresses?.[0]?.value ?? ''
    const service = await getObject<Service>('service', 'ingress-public', '-n', fleets)
    expect(publicAddress).toBe(service.status?.loadBalancer?.ingress?.[0]?.ip)

    const onNodes = await getObject<IngressDeployment & KubernetesObject>('igd', 'edge', '-n', fleets)
    edgeAddress = `${onNodes.status?.addresses?.[0]?.value}:${onNodes.status?.nodePorts?.http}`
    expect(edgeAddress).toMatch(/^[0-9.]+:[0-9]+$/)
  })

  test('kubectl get igd shows class, type, address and that it is available', async () => {
    const columns = (await kubectl('get', 'igd', '-n', fleets)).split('\n').map(line => line.split(/ +/).slice(0, 7))
    expect(columns).toEqual([
      ['NAME', 'CLASS', 'TYPE', 'REPLICAS', 'READY', 'AVAILABLE', 'ADDRESS'],
      ['edge', 'edge', 'NodePort', '1', '1', 'True', edgeAddress.split(':')[0]],
      ['public', 'public', 'LoadBalancer', '2', '2', 'True', publicAddress],
      [''],
    ])
  })

  test('two apps are served behind one address, by host and by path', async () => {
    await apply(
      ingress({
        namespace: shop,
        name: 'shop',
        className: 'public',
        rules: [
          { host: 'shop.example.test', path: '/', pathType: 'Prefix', service: 'catalog' },
          { host: 'shop.example.test', path: '/cart', pathType: 'Prefix', service: 'cart' },
          { host: 'cart.example.test', path: '/', pathType: 'Prefix', service: 'cart' },
        ],
      }),
    )
    await vi.waitFor(async () => parseEcho(await send('http://shop.example.test/', publicAddress)), { timeout: 20_000 })
    const served = await Promise.all(
      ['shop.example.test/', 'shop.example.test/shoes', 'shop.example.test/cart/7', 'cart.example.test/'].map(
        async url => parseEcho(await send(`http://${url}`, publicAddress)).service,
      ),
    )
    expect(served).toEqual(['catalog', 'catalog', 'cart', 'cart'])
    expect((await send('http://unknown.example.test/', publicAddress)).status).toBe(404)
  })

  test('a host with a Secret is served over TLS with its certificate', async () => {
    await apply(
      tlsSecret({ namespace: shop, name: 'secure-tls' }, pair),
      ingress({
        namespace: shop,
        name: 'secure',
        className: 'public',
        tls: [{ hosts: ['secure.example.test'], secretName: 'secure-tls' }],
        rules: [{ host: 'secure.example.test', path: '/', pathType: 'Prefix', service: 'catalog' }],
      }),
    )
    const request = { url: 'https://secure.example.test/', connectTo: publicAddress, ca: pair.certificate }
    const response = await vi.waitFor(() => client.request(request), { timeout: 20_000, interval: 200 })
    expect(parseEcho(response).service).toBe('catalog')
  })

  test('each class serves only its own Ingresses', async () => {
    const rules = [{ host: 'edge.example.test', path: '/', pathType: 'Prefix', service: 'cart' }] as const
    await apply(ingress({ namespace: shop, name: 'edge', className: 'edge', rules }))
    await vi.waitFor(async () => parseEcho(await send('http://edge.example.test/', edgeAddress)), { timeout: 20_000 })

    expect((await send('http://edge.example.test/', publicAddress)).status).toBe(404)
    expect((await send('http://shop.example.test/', edgeAddress)).status).toBe(404)
  })

  test('the status of an Ingress shows the address of its class', async () => {
    await vi.waitFor(
      async () => {
        const found = await listObjects<Ingress>('ingress', '-n', shop)
        const shown = Object.fromEntries(
          found.map(({ metadata, status }) => [metadata.name, status?.loadBalancer?.ingress?.map(entry => entry.ip)]),
        )
        expect(shown).toEqual({ shop: [publicAddress], secure: [publicAddress], edge: [edgeAddress.split(':')[0]] })
      },
      { timeout: 30_000, interval: 200 },
    )
  })
})

describe('an Ingress with a mistake', () => {
  // Without its certificate a host is still not served in the clear: plain HTTP is sent to HTTPS.
  const mistakes = [
    { name: 'without-secret', service: 'catalog', secretName: 'nowhere', status: 308 },
    { name: 'without-service', service: 'nowhere', secretName: undefined, status: 503 },
  ]

  test.each(mistakes)('gets a Warning, and $status for its requests, and the rest is served: $name', async row => {
    const { name, service, secretName, status } = row
    const host = `${name}.example.test`
    const rules = [{ host, path: '/', pathType: 'Prefix', service }] as const
    const tls = secretName === undefined ? {} : { tls: [{ hosts: [host], secretName }] }
    await apply(ingress({ namespace: shop, name, className: 'public', rules, ...tls }))
    await vi.waitFor(
      async () => {
        expect((await send(`http://${host}/`, publicAddress)).status).toBe(status)
        const events = await kubectl('events', '-n', shop, '--for', `ingress/${name}`, '--types=Warning')
        expect(events).toContain('nowhere')
      },
      { timeout: 30_000, interval: 200 },
    )
    expect((await send('http://shop.example.test/', publicAddress)).status).toBe(200)
    await kubectl('delete', 'ingress', name, '-n', shop)
  })
})

describe('an app that is scaled from 1 to 3 and back under continuous requests', () => {
  let loads: readonly RunningLoad[] = []
  let ready: ReadinessWatch
  const podsSeen = async (): Promise<readonly string[]> =>
    Object.keys(mergeLoadReports(await Promise.all(loads.map(load => load.report()))).pods)

  beforeAll(async () => {
    ready = new ReadinessWatch(shop, 'catalog')
    const requests = [
      { url: 'http://shop.example.test/', connectTo: publicAddress },
      { url: 'https://secure.example.test/', connectTo: publicAddress, ca: pair.certificate },
    ]
    loads = await Promise.all(
      (['new', 'kept'] as const).map(connections =>
        client.load({ requests, connections, concurrency: 2, pauseMs: 10 }),
      ),
    )
  })
  afterAll(() => ready?.stop())

  test('new pods answer within one second of becoming ready', async () => {
    const first = (await listObjects('pods', '-n', shop, '-l', 'app=catalog'))[0]?.metadata.name
    await kubectl('scale', 'deployment/catalog', '-n', shop, '--replicas=3')
    await vi.waitFor(async () => expect(await podsSeen()).toHaveLength(3), { timeout: 60_000, interval: 100 })

    const { pods } = mergeLoadReports(await Promise.all(loads.map(load => load.report())))
    const delaysMs = (since: ReadonlyMap<string, number>): readonly number[] =>
      Object.entries(pods)
        .filter(([pod]) => pod !== first)
        .map(([pod, { firstMs }]) => firstMs - (since.get(pod) ?? Number.NaN))
    const [ofEndpoints, ofPods] = [delaysMs(ready.endpointsMs), delaysMs(ready.podsMs)]
    process.stdout.write(
      `first answers: ${ofEndpoints.join(' and ')} ms after the endpoints, ${ofPods.join(' and ')} ms after the pods became ready\n`,
    )
    expect(ofEndpoints.every(delay => delay <= 1000)).toBe(true)
  })

  test('kubectl igd backends shows the addresses of all three, in all proxies', async () => {
    const addresses = (await listObjects<Pod>('pods', '-n', shop, '-l', 'app=catalog')).map(pod => pod.status.podIP)
    expect(addresses).toHaveLength(3)
    expect(await heldAddresses('catalog')).toEqual([addresses.toSorted(), addresses.toSorted()])

    const table = await kubectl('igd', 'backends', 'public', '-n', fleets)
    for (const address of addresses) expect(table).toContain(`${address}:3000`)
  })

  test('none of the requests fails, from 1 to 3 pods and back to 1', async () => {
    await kubectl('scale', 'deployment/catalog', '-n', shop, '--replicas=1')
    await vi.waitFor(async () => expect(await listObjects('pods', '-n', shop, '-l', 'app=catalog')).toHaveLength(1), {
      timeout: 60_000,
      interval: 200,
    })
    const report = mergeLoadReports(await Promise.all(loads.map(load => load.stop())))
    process.stdout.write(`${report.sent} requests, ${report.failed} failed\n`)
    expect(report.sent).toBeGreaterThan(100)
    expect(report).toMatchObject({ failed: 0, failures: [] })
  })

  test('kubectl igd backends shows only the one that is left', async () => {
    const [pod] = await listObjects<Pod>('pods', '-n', shop, '-l', 'app=catalog')
    expect(await heldAddresses('catalog')).toEqual([[pod?.status.podIP], [pod?.status.podIP]])
  })
})

describe("kubectl's plugin of ingress-nginx", () => {
  test('finds /dbg in the container named controller, and gets its JSON', async () => {
    const inPod = ['exec', '-n', fleets, 'deployment/ingress-public', '-c', 'controller', '--', '/dbg']
    const all = JSON.parse(await kubectl(...inPod, 'backends', 'all')) as readonly { readonly name: string }[]
    const listed = (await kubectl(...inPod, 'backends', 'list')).trim().split('\n')
    expect(listed.toSorted()).toEqual(all.map(backend => backend.name).toSorted())
    expect(listed.filter(name => name.includes('catalog'))).not.toEqual([])
  })
})

describe('without the address of the Service', () => {
  const drop = (clusterIp: string, action: '-I' | '-D'): Promise<string> =>
    onNode('iptables', '-t', 'raw', action, 'PREROUTING', '-d', clusterIp, '-j', 'DROP')

  test.runIf(inject('e2eCluster').onNode)('traffic still flows, because it goes straight to the pods', async () => {
    const { spec } = await getObject<Service>('service', 'catalog', '-n', shop)
    const clusterIp = spec?.clusterIP ?? ''
    await drop(clusterIp, '-I')
    try {
      const probe = `fetch("http://${clusterIp}:8080/", {signal: AbortSignal.timeout(2000)})
        .then(() => "reachable", () => "unreachable").then(answer => { console.log(answer); process.exit() })`
      const reached = await kubectl(
        'exec',
        '-n',
        fleets,
        'deployment/ingress-public',
        '--',
        '/nodejs/bin/node',
        '-e',
        probe,
      )
      expect(reached.trim()).toBe('unreachable')
      expect(parseEcho(await send('http://shop.example.test/', publicAddress)).service).toBe('catalog')
    } finally {
      await drop(clusterIp, '-D')
    }
  })
})

describe('deletion', () => {
  test('deleting the IngressDeployments leaves nothing behind', async () => {
    await kubectl('delete', 'igd', 'public', 'edge', '-n', fleets, '--timeout=60s')
    await vi.waitFor(
      async () => {
        const left = [...(await clusterObjects(shop))].filter(object => !before.has(object))
        expect(left).toEqual([])
      },
      { timeout: 90_000, interval: 1000 },
    )
    const bindings = await kubectl('get', 'rolebinding,role,secret,configmap', '-n', shop, '-o', 'name')
    expect(bindings).not.toContain('ingress-fleet')
  })
})
