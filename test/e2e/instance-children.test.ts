import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { ConfigMap, IngressClass, KubernetesObject, Service } from '../../src/api/kubernetes.ts'
import { operatorDeployment, operatorNamespace } from './cluster.ts'
import { endpointsReady } from './conformance.ts'
import { apply, getObject, kubectl } from './kubectl.ts'
import { echo, ingress, ingressDeployment, namespace } from './manifests.ts'
import { rightsReport } from './rights.ts'
import { selfSigned, tlsSecret } from './tls-secret.ts'

const fleets = 'children-fleets'
const apps = 'children-apps'
const account = `system:serviceaccount:${fleets}:ingress-guarded`
const withinSeconds = { timeout: 30_000, interval: 200 }

interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly replicas: number
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } }
  }
}

async function uidOf(kind: string, name: string): Promise<string | undefined> {
  return (await getObject(kind, name, '-n', fleets)).metadata.uid
}

beforeAll(async () => {
  await apply(
    namespace(fleets),
    namespace(apps),
    ingressDeployment({ namespace: fleets, name: 'guarded' }, { replicas: 1, service: { type: 'ClusterIP' } }),
    ...echo({ namespace: apps, name: 'app' }),
    tlsSecret({ namespace: apps, name: 'app-tls' }, await selfSigned('app.example.test')),
    ingress({
      namespace: apps,
      name: 'app',
      className: 'guarded',
      tls: [{ hosts: ['app.example.test'], secretName: 'app-tls' }],
      rules: [{ host: 'app.example.test', path: '/', pathType: 'Prefix', service: 'app' }],
    }),
  )
  await kubectl('wait', 'igd/guarded', '-n', fleets, '--for=condition=Available', '--timeout=90s')
  await endpointsReady(apps, 'app', 1)
})
afterAll(async () => {
  await kubectl('delete', 'igd', 'guarded', '-n', fleets, '--timeout=60s', '--ignore-not-found')
  await kubectl('delete', 'namespace', fleets, apps, '--wait=false')
})

describe('a child that was changed by hand is repaired', () => {
  test('an edited Deployment has its image and replicas again', async () => {
    const wanted = await getObject<Deployment>('deployment', 'ingress-guarded', '-n', fleets)
    const edit = {
      spec: { replicas: 0, template: { spec: { containers: [{ name: 'controller', image: 'localhost/other:1' }] } } },
    }
    await kubectl('patch', 'deployment', 'ingress-guarded', '-n', fleets, '-p', JSON.stringify(edit))
    await vi.waitFor(async () => {
      const { spec } = await getObject<Deployment>('deployment', 'ingress-guarded', '-n', fleets)
      expect(spec.replicas).toBe(wanted.spec.replicas)
      expect(spec.template.spec.containers[0]?.image).toBe(wanted.spec.template.spec.containers[0]?.image)
    }, withinSeconds)
  })

  test('an edited Service has its ports again', async () => {
    const edit = [{ op: 'replace', path: '/spec/ports/0/targetPort', value: 9999 }]
    const before = await getObject<Service>('service', 'ingress-guarded', '-n', fleets)
    await kubectl('patch', 'service', 'ingress-guarded', '-n', fleets, '--type=json', '-p', JSON.stringify(edit))
    await vi.waitFor(async () => {
      const { spec } = await getObject<Service>('service', 'ingress-guarded', '-n', fleets)
      expect(spec?.ports).toEqual(before.spec?.ports)
    }, withinSeconds)
  })

  test('an edited ConfigMap has its configuration again', async () => {
    const before = await getObject<ConfigMap>('configmap', 'ingress-guarded', '-n', fleets)
    await kubectl('patch', 'configmap', 'ingress-guarded', '-n', fleets, '-p', '{"data": {"instance.json": "{}"}}')
    await vi.waitFor(async () => {
      expect((await getObject<ConfigMap>('configmap', 'ingress-guarded', '-n', fleets)).data).toEqual(before.data)
    }, withinSeconds)
  })

  test('a deleted IngressClass is there again', async () => {
    await kubectl('delete', 'ingressclass', 'guarded')
    await vi.waitFor(async () => {
      const { spec } = await getObject<IngressClass>('ingressclass', 'guarded')
      expect(spec?.controller).toBe('ingressfleet.dev/ingress-controller')
    }, withinSeconds)
  })

  test.each(['service', 'serviceaccount', 'configmap', 'deployment'])('a deleted %s is there again', async kind => {
    const before = await uidOf(kind, 'ingress-guarded')
    await kubectl('delete', kind, 'ingress-guarded', '-n', fleets)
    await vi.waitFor(async () => expect(await uidOf(kind, 'ingress-guarded')).not.toBe(before), withinSeconds)
  })

  test('and the instance is Available in the end', async () => {
    await kubectl('rollout', 'status', 'deployment/ingress-guarded', '-n', fleets, '--timeout=60s')
    const waited = kubectl('wait', 'igd/guarded', '-n', fleets, '--for=condition=Available', '--timeout=60s')
    await expect(waited).resolves.toContain('condition met')
  })
})

describe('an operator that is restarted', () => {
  /** `kind/name resourceVersion` of everything that belongs to the instance. */
  async function versions(): Promise<readonly string[]> {
    const kinds = 'igd,serviceaccount,configmap,secret,role,rolebinding,service,ingress,ingressclass,clusterrolebinding'
    const format = '{range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{"\\n"}{end}'
    const ours = ['-l', 'ingressfleet.dev/ingressdeployment=guarded']
    const listed = await Promise.all([
      kubectl('get', `${kinds},deployment`, '-A', ...ours, '-o', `jsonpath=${format}`),
      kubectl('get', 'igd,ingress', '-n', fleets, '-o', `jsonpath=${format}`),
      kubectl('get', 'ingress', '-n', apps, '-o', `jsonpath=${format}`),
    ])
    return listed.join('').trim().split('\n').toSorted()
  }

  test('finds everything as it should be, and writes nothing', async () => {
    const before = await versions()
    const operator = ['-n', operatorNamespace, `deployment/${operatorDeployment}`]
    await kubectl('rollout', 'restart', ...operator)
    await kubectl('rollout', 'status', ...operator, '--timeout=90s')
    // An edit after it is repaired, so the new operator has been through the instance; the rest is as it was.
    await kubectl('delete', 'configmap', 'ingress-guarded', '-n', fleets)
    await vi.waitFor(async () => expect(await uidOf('configmap', 'ingress-guarded')).toBeDefined(), withinSeconds)

    const isConfigMap = (version: string): boolean => version.startsWith('ConfigMap/')
    const after = await versions()
    expect(after.filter(version => !isConfigMap(version))).toEqual(before.filter(version => !isConfigMap(version)))
    expect(before.length).toBeGreaterThan(9)
  })
})

describe("the proxies' ServiceAccount", () => {
  test('has the rights of the golden file, in its namespace, where a Secret is referred to, and elsewhere', async () => {
    const report = await rightsReport(account, {
      'its own namespace': fleets,
      'a namespace with a TLS Secret of its Ingresses': apps,
      elsewhere: 'default',
    })
    await expect(report).toMatchFileSnapshot('../golden/e2e/proxy-rights.txt')
  })

  test.each([
    ['list', 'secrets', '--all-namespaces'],
    ['watch', 'secrets', '--all-namespaces'],
    ['get', 'secrets', '--namespace=default'],
    ['create', 'pods', '--all-namespaces'],
    ['update', 'ingresses.networking.k8s.io', '--all-namespaces'],
    ['patch', 'ingresses.networking.k8s.io/status', '--all-namespaces'],
    ['create', 'events', '--all-namespaces'],
    ['update', 'leases.coordination.k8s.io', '--all-namespaces'],
    ['delete', 'secrets', `--namespace=${apps}`],
    ['*', '*', `--namespace=${fleets}`],
  ])('may not %s %s (%s)', async (verb, resource, scope) => {
    const answer = await kubectl('auth', 'can-i', verb, resource, scope, `--as=${account}`).catch(
      (error: unknown) => (error as { readonly stdout: string }).stdout, // its exit code is 1 when the answer is no
    )
    expect(answer).toBe('no\n')
  })

  test('holds a token with which the API server refuses to list Secrets', async () => {
    const token = (await kubectl('create', 'token', 'ingress-guarded', '-n', fleets)).trim()
    const listing = kubectl('get', 'secrets', '-A', '--token', token)
    await expect(listing).rejects.toThrow('cannot list resource "secrets"')
  })
})
