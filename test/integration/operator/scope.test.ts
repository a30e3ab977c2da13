import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { generateSelfSigned } from '../../../src/certificates/generate.ts'
import { resources } from '../../../src/kube/resource.ts'
import {
  condition,
  describeWithOperator,
  eventually,
  find,
  instance,
  type Loose,
  makePodsReady,
  type OperatorCluster,
  operatorAccount,
  pause,
  untilCondition,
} from './operator-cluster.ts'

const golden = join(import.meta.dirname, '../../golden/operator/permissions')

describeWithOperator('scope, permissions and what is told about Ingresses', cluster => {
  it('50: an Ingress that falls out of the scope loses its address, one that comes in gets it', async () => {
    const { apply, createNamespace, kubectl, start } = cluster()
    await start()
    const [own, red, blue] = [
      await createNamespace(),
      await createNamespace({ team: 'red' }),
      await createNamespace({ team: 'blue' }),
    ]
    const scope = (team: string): object => ({
      service: { type: 'ClusterIP' },
      scope: { namespaceSelector: { matchLabels: { team } }, ingressSelector: { matchLabels: { public: 'yes' } } },
    })
    await apply(instance(own, 'fifty', scope('red')))
    await makePodsReady(cluster().admin, own, 'fifty')
    for (const namespace of [red, blue]) await apply(ingress(namespace, 'web', { ingressClassName: 'fifty' }))
    await apply(ingress(red, 'hidden', { ingressClassName: 'fifty' }, {}))
    await untilAddressed(cluster(), red, 'web', true)
    expect(await addresses(cluster(), blue, 'web')).toEqual([])
    await apply(instance(own, 'fifty', scope('blue')))
    await untilAddressed(cluster(), blue, 'web', true)
    await untilAddressed(cluster(), red, 'web', false)
    await kubectl(['label', 'ingress', 'web', '-n', blue, 'public-'])
    await untilAddressed(cluster(), blue, 'web', false)
    // Labels of namespaces are followed, too.
    await kubectl(['label', 'ingress', 'web', '-n', red, 'public=yes', '--overwrite'])
    await kubectl(['label', 'namespace', red, 'team=blue', '--overwrite'])
    await untilAddressed(cluster(), red, 'web', true)
    expect(await addresses(cluster(), red, 'hidden')).toEqual([])
  })

  it('52: each of two instances serves its own class, and an Ingress without one goes to the default', async () => {
    const { admin, apply, createNamespace, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(ingress(namespace, 'classless', {}))
    await apply(instance(namespace, 'plain', { service: { type: 'ClusterIP' } }))
    await apply(instance(namespace, 'usual', { service: { type: 'ClusterIP' }, ingressClass: { default: true } }))
    for (const name of ['plain', 'usual']) await makePodsReady(cluster().admin, namespace, name)
    await apply(ingress(namespace, 'one', { ingressClassName: 'plain' }))
    await apply(ingress(namespace, 'other', { ingressClassName: 'usual' }))
    for (const name of ['one', 'other', 'classless']) await untilAddressed(cluster(), namespace, name, true)
    const address = async (name: string): Promise<unknown> =>
      (await find(admin, resources.services, `ingress-${name}`, namespace))?.spec?.['clusterIP']
    const [plain, usual] = [await address('plain'), await address('usual')]
    expect(await addresses(cluster(), namespace, 'one')).toEqual([{ ip: plain }])
    expect(await addresses(cluster(), namespace, 'other')).toEqual([{ ip: usual }])
    expect(await addresses(cluster(), namespace, 'classless')).toEqual([{ ip: usual }])
    const marked = await find(admin, resources.ingressClasses, 'usual')
    expect(marked?.metadata.annotations).toMatchObject({ 'ingressclass.kubernetes.io/is-default-class': 'true' })
  })

  it('a confined scope reads by namespace only, and a namespace that comes later is added', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const [own, there] = [await createNamespace(), await createNamespace()]
    const later = `${there}-later`
    await apply(instance(own, 'confined', { scope: { namespaces: [there, later] } }))
    await untilCondition(admin, own, 'confined', 'ObjectsApplied=True')
    const name = `ingress-fleet:${own}:confined`
    expect(await find(admin, resources.clusterRoleBindings, name)).toBeUndefined()
    expect(await find(admin, resources.roleBindings, name, there)).toBeDefined()
    await kubectl(['create', 'namespace', later])
    await eventually(() => find(admin, resources.roleBindings, name, later))
    await eventually(async () => {
      const configMap = await find(admin, resources.configMaps, 'ingress-confined', own)
      const { namespaces } = JSON.parse(configMap?.data?.['instance.json'] ?? '{}') as {
        namespaces?: readonly string[]
      }
      expect(namespaces).toEqual([there, later])
      return true
    })
    await apply(instance(own, 'confined'))
    await eventually(() => find(admin, resources.clusterRoleBindings, name))
    await eventually(async () => ((await find(admin, resources.roleBindings, name, there)) ? undefined : true))
  })

  it('Secrets are readable only where an Ingress that is served refers to one, and as long as it does', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const [own, app] = [await createNamespace(), await createNamespace()]
    await apply(instance(own, 'reading'))
    await untilCondition(admin, own, 'reading', 'ObjectsApplied=True')
    const proxy = `system:serviceaccount:${own}:ingress-reading`
    const canList = (namespace: string): Promise<boolean> => can(cluster(), proxy, 'list', 'secrets', namespace)
    expect(await canList(app)).toBe(false)
    await apply(
      ingress(app, 'web', { ingressClassName: 'reading', tls: [{ hosts: ['web.example'], secretName: 'web-tls' }] }),
    )
    await eventually(async () => ((await canList(app)) ? true : undefined))
    expect(await canList(own)).toBe(false)
    expect(await canListAll(cluster(), proxy)).toBe(false)
    await eventually(async () => {
      const configMap = await find(admin, resources.configMaps, 'ingress-reading', own)
      expect(JSON.parse(configMap?.data?.['instance.json'] ?? '{}')).toMatchObject({ secretNamespaces: [app] })
      return true
    })
    await kubectl(['delete', 'ingress', 'web', '-n', app])
    await eventually(async () => ((await canList(app)) ? undefined : true))
    expect(await find(admin, resources.roleBindings, `ingress-fleet:${own}:reading:secrets`, app)).toBeUndefined()
  })

  it('an accepted Ingress is told by a Sync event once, a bad one by a warning with the reason', async () => {
    const { apply, createNamespace, kubectl, start } = cluster()
    const operator = await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'telling', { service: { type: 'ClusterIP' } }))
    await makePodsReady(cluster().admin, namespace, 'telling')
    await apply(ingress(namespace, 'good', { ingressClassName: 'telling' }))
    await apply(
      ingress(namespace, 'bad', {
        ingressClassName: 'telling',
        tls: [{ hosts: ['bad.example'], secretName: 'broken' }],
      }),
    )
    const pair = await generateSelfSigned({ hosts: ['bad.example'], now: new Date() })
    const other = await generateSelfSigned({ hosts: ['bad.example'], now: new Date() })
    const data = { 'tls.crt': base64(pair.certificate), 'tls.key': base64(other.key) }
    await apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name: 'broken' },
      type: 'kubernetes.io/tls',
      data,
    })
    await eventually(async () =>
      (await eventsOf(cluster(), namespace, 'good')).some(event => event.reason === 'Sync') ? true : undefined,
    )
    const warning = await eventually(async () =>
      (await eventsOf(cluster(), namespace, 'bad')).find(event => event.reason === 'InvalidKeyPair'),
    )
    expect(warning).toMatchObject({ type: 'Warning' })
    await untilAddressed(cluster(), namespace, 'good', true)
    await untilAddressed(cluster(), namespace, 'bad', true)
    await operator.stop()
    await start()
    await pause(1500)
    expect((await eventsOf(cluster(), namespace, 'good')).filter(event => event.reason === 'Sync')).toHaveLength(1)
    await kubectl([
      'patch',
      'ingress',
      'good',
      '-n',
      namespace,
      '--type=json',
      '-p',
      '[{"op":"replace","path":"/spec/rules/0/host","value":"new.example"}]',
    ])
    await eventually(async () => {
      const events = await eventsOf(cluster(), namespace, 'good')
      return events.filter(event => event.reason === 'Sync').reduce((sum, event) => sum + (event.count ?? 1), 0) === 2
        ? true
        : undefined
    })
  })

  it('a certificate of the user is checked, and its arrival and its faults are followed', async () => {
    const { admin, apply, createNamespace, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'own', { tls: { defaultCertificate: { secretName: 'mine' } } }))
    const missing = await untilCondition(admin, namespace, 'own', 'CertificateReady=False/CertificateNotFound')
    expect(condition(missing, 'CertificateReady').message).toContain('mine')
    const pair = await generateSelfSigned({ hosts: ['own.example'], now: new Date() })
    const secret = (key: string): object => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name: 'mine' },
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': base64(pair.certificate), 'tls.key': base64(key) },
    })
    await apply(secret(pair.key))
    const ready = await untilCondition(admin, namespace, 'own', 'CertificateReady=True/Valid')
    expect(ready.status?.certificate?.secretName).toBe('mine')
    expect(ready.status?.certificate?.notAfter).toMatch(/Z$/)
    await apply(secret((await generateSelfSigned({ hosts: ['x'], now: new Date() })).key))
    await untilCondition(admin, namespace, 'own', 'CertificateReady=False/InvalidKeyPair')
    // The generated one is not wanted, and takes its place when the reference goes.
    expect(await find(admin, resources.secrets, 'ingress-own-default-tls', namespace)).toBeUndefined()
    await apply(instance(namespace, 'own'))
    await untilCondition(admin, namespace, 'own', 'CertificateReady=True/Valid')
    expect(await find(admin, resources.secrets, 'ingress-own-default-tls', namespace)).toBeDefined()
  })

  it('a generated certificate is kept, and made anew when it is damaged or its hosts change', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'made'))
    const first = await untilCondition(admin, namespace, 'made', 'CertificateReady=True')
    await kubectl([
      'patch',
      'secret',
      'ingress-made-default-tls',
      '-n',
      namespace,
      '--type=merge',
      '-p',
      '{"data":{"tls.key":"","theirs":"eA=="}}',
    ])
    const second = await eventually(async () => {
      const object = await untilCondition(admin, namespace, 'made', 'CertificateReady=True')
      return object.status?.certificate?.serialNumber === first.status?.certificate?.serialNumber ? undefined : object
    })
    const secret = await find(admin, resources.secrets, 'ingress-made-default-tls', namespace)
    expect(secret?.data?.['theirs']).toBe('eA==')
    await apply(
      instance(namespace, 'made', { tls: { defaultCertificate: { generated: { hosts: ['*.made.example'] } } } }),
    )
    await eventually(async () => {
      const object = await untilCondition(admin, namespace, 'made', 'CertificateReady=True')
      return object.status?.certificate?.serialNumber === second.status?.certificate?.serialNumber ? undefined : object
    })
  })

  it('what the operator and a proxy may do is exactly what the golden files say', async () => {
    const { admin, apply, createNamespace, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'golden'))
    await untilCondition(admin, namespace, 'golden', 'ObjectsApplied=True')
    const elsewhere = await createNamespace()
    const { namespace: system, name } = operatorAccount
    const operator = `system:serviceaccount:${system}:${name}`
    const proxy = `system:serviceaccount:${namespace}:ingress-golden`
    const cases = [
      { user: operator, namespace: elsewhere, file: 'of-the-operator-anywhere.txt' },
      { user: operator, namespace, file: 'of-the-operator-beside-an-instance.txt' },
      { user: proxy, namespace: elsewhere, file: 'of-a-proxy-anywhere.txt' },
      { user: proxy, namespace, file: 'of-a-proxy-in-its-own-namespace.txt' },
    ]
    for (const one of cases) {
      const listed = await permissions(cluster(), one)
      expect(listed.now).toBe(listed.golden)
    }
  })
})

function ingress(namespace: string, name: string, spec: object, labels: object = { public: 'yes' }): object {
  const paths = [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'app', port: { number: 80 } } } }]
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'Service', metadata: { namespace, name: 'app' }, spec: { ports: [{ port: 80 }] } },
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { namespace, name, labels },
        spec: { rules: [{ host: `${name}.${namespace}.example`, http: { paths } }], ...spec },
      },
    ],
  }
}

async function addresses({ admin }: OperatorCluster, namespace: string, name: string): Promise<readonly unknown[]> {
  const found = await find(admin, resources.ingresses, name, namespace)
  const balancer = found?.status?.['loadBalancer'] as { readonly ingress?: readonly unknown[] } | undefined
  return balancer?.ingress ?? []
}

async function untilAddressed(
  cluster: OperatorCluster,
  namespace: string,
  name: string,
  wanted: boolean,
): Promise<void> {
  await eventually(async () => {
    const found = await addresses(cluster, namespace, name)
    if (found.length > 0 === wanted) return true
    throw new Error(`Ingress ${name}: expected ${wanted ? 'an address' : 'none'}, got ${JSON.stringify(found)}`)
  })
}

interface Event extends Loose {
  readonly type: string
  readonly reason: string
  readonly count?: number
}

async function eventsOf({ admin }: OperatorCluster, namespace: string, name: string): Promise<readonly Event[]> {
  const fieldSelector = `involvedObject.kind=Ingress,involvedObject.name=${name}`
  const { items } = await admin.list<Event>(resources.events, { namespace, fieldSelector })
  return items ?? []
}

async function can(
  { kubectl }: OperatorCluster,
  user: string,
  verb: string,
  resource: string,
  namespace: string,
): Promise<boolean> {
  // kubectl tells "no" by its exit code.
  const answer = await kubectl(['auth', 'can-i', verb, resource, '-n', namespace, '--as', user]).catch(() => 'no')
  return answer.trim() === 'yes'
}

async function canListAll({ kubectl }: OperatorCluster, user: string): Promise<boolean> {
  const answer = await kubectl(['auth', 'can-i', 'list', 'secrets', '-A', '--as', user]).catch(() => 'no')
  return answer.trim() === 'yes'
}

async function permissions(
  { kubectl }: OperatorCluster,
  { user, namespace, file }: { readonly user: string; readonly namespace: string; readonly file: string },
): Promise<{ readonly now: string; readonly golden: string }> {
  const groups = ['--as-group', 'system:serviceaccounts', '--as-group', 'system:authenticated']
  const listed = await kubectl(['auth', 'can-i', '--list', '-n', namespace, '--as', user, ...groups])
  // The order is the API server's, and white space follows the longest name. What everybody may get of the API server
  // itself (no resource, so the line begins with a list of URLs) is not ours and differs between versions.
  const lines = listed
    .trim()
    .split('\n')
    .map(line => line.trim().replaceAll(/\s{2,}/g, '  '))
  const granted = lines.slice(1).filter(line => !line.startsWith('[/'))
  const text = `${[lines[0], ...granted.toSorted()].join('\n')}\n`
  if (process.env['UPDATE_GOLDEN'] === 'true') {
    const { writeFile } = await import('node:fs/promises')
    await writeFile(join(golden, file), text)
  }
  return { now: text, golden: await readFile(join(golden, file), 'utf8') }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
