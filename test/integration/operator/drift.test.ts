import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, it, onTestFinished } from 'vitest'
import { generateSelfSigned } from '../../../src/certificates/generate.ts'
import { type Resource, resources } from '../../../src/kube/resource.ts'
import { resourceOf } from '../../../src/operator/caches.ts'
import { managedObjects } from '../../../src/operator/objects/index.ts'
import {
  condition,
  describeWithOperator,
  eventually,
  find,
  getInstance,
  instance,
  type Loose,
  makePodsReady,
  type OperatorCluster,
  pause,
  untilCondition,
} from './operator-cluster.ts'

describeWithOperator('drift and ownership', cluster => {
  it('9: every kind of child that is deleted by hand is made anew', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'nine'))
    await untilCondition(admin, namespace, 'nine', 'ObjectsApplied=True')
    const children = await childrenOf(cluster(), namespace, 'nine')
    expect(new Set(children.map(({ kind }) => kind))).toEqual(new Set(managedObjects.map(row => row.kind)))
    // That of the operator itself belongs to all instances of the namespace.
    await kubectl(['delete', 'rolebinding', 'ingress-fleet:operator', '-n', namespace])
    for (const child of children) {
      const inNamespace = child.metadata.namespace === undefined ? [] : ['-n', child.metadata.namespace]
      await kubectl(['delete', child.kind.toLowerCase(), child.metadata.name, ...inNamespace, '--wait=false'])
    }
    for (const child of children) {
      await eventually(async () => {
        const again = await find(admin, resourceFor(child), child.metadata.name, child.metadata.namespace)
        return again !== undefined && again.metadata.uid !== child.metadata.uid ? true : undefined
      })
    }
    await eventually(() => find(admin, resources.roleBindings, 'ingress-fleet:operator', namespace))
  })

  it('10: a target port, a selector and a traffic policy edited by hand are restored, whatever the type of Service', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const namespace = await createNamespace()
    for (const type of ['LoadBalancer', 'NodePort', 'ClusterIP']) {
      const name = `ten-${type.toLowerCase()}`
      await apply(instance(namespace, name, { service: { type } }))
      await untilCondition(admin, namespace, name, 'ObjectsApplied=True')
      const before = await serviceOf(cluster(), namespace, name)
      const edits = [
        { op: 'replace', path: '/spec/ports/0/targetPort', value: 9999 },
        { op: 'add', path: '/spec/selector/stray', value: 'yes' },
        ...(type === 'ClusterIP' ? [] : [{ op: 'replace', path: '/spec/externalTrafficPolicy', value: 'Local' }]),
      ]
      await kubectl([
        'patch',
        'service',
        `ingress-${name}`,
        '-n',
        namespace,
        '--type=json',
        '-p',
        JSON.stringify(edits),
      ])
      await eventually(async () => {
        const { ports, selector, externalTrafficPolicy } = await serviceOf(cluster(), namespace, name)
        expect({ ports, selector, externalTrafficPolicy }).toEqual({
          ports: before['ports'],
          selector: before['selector'],
          externalTrafficPolicy: before['externalTrafficPolicy'],
        })
        return true
      })
    }
  })

  it('11: a webhook that changes the pod template makes no loop and no second ReplicaSet', async () => {
    const { admin, apply, createNamespace, start } = cluster()
    const namespace = await createNamespace({ mutated: 'yes' })
    const calls = await installMutatingWebhook(cluster())
    const operator = await start()
    await apply(instance(namespace, 'eleven'))
    await untilCondition(admin, namespace, 'eleven', 'ObjectsApplied=True')
    await makePodsReady(admin, namespace, 'eleven')
    await untilCondition(admin, namespace, 'eleven', 'Ready=True')
    const before = await find(admin, resources.deployments, 'ingress-eleven', namespace)
    const template = before?.spec?.['template'] as { metadata: Loose['metadata']; spec: { containers: unknown[] } }
    expect(template.metadata.annotations).toEqual({ injected: 'yes' })
    expect(template.spec.containers).toHaveLength(2)
    const called = calls()
    // A look at everything anew finds nothing to do.
    await apply({
      ...instance(namespace, 'eleven'),
      metadata: { namespace, name: 'eleven', labels: { look: 'again' } },
    })
    await pause(2000)
    const after = await find(admin, resources.deployments, 'ingress-eleven', namespace)
    expect(after?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion)
    expect(calls()).toBe(called)
    const { items } = await admin.list<Loose>(resources.replicaSets, { namespace })
    expect(items).toHaveLength(1)
    // Another spec is a change, and is made just once.
    await apply(instance(namespace, 'eleven', { pod: { annotations: { mine: 'yes' } } }))
    await eventually(() => (calls() > called ? true : undefined))
    await pause(1500)
    const settled = [operator.client.counts.get('patch deployments'), calls()]
    await pause(1500)
    expect([operator.client.counts.get('patch deployments'), calls()]).toEqual(settled)
  })

  it('12 and 13: annotations and finalizers of others survive an edit; an annotation removed from the spec goes alone', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const namespace = await createNamespace()
    const annotations = { 'mine/a': '1', 'mine/b': '2' }
    await apply(instance(namespace, 'twelve', { service: { annotations } }))
    await untilCondition(admin, namespace, 'twelve', 'ObjectsApplied=True')
    await kubectl(['annotate', 'service', 'ingress-twelve', '-n', namespace, 'cloud/id=lb-1'])
    await kubectl(['label', 'service', 'ingress-twelve', '-n', namespace, 'cloud/zone=z'])
    await kubectl([
      'patch',
      'service',
      'ingress-twelve',
      '-n',
      namespace,
      '--type=json',
      '-p',
      '[{"op":"add","path":"/metadata/finalizers","value":["service.kubernetes.io/load-balancer-cleanup"]}]',
    ])
    await apply(
      instance(namespace, 'twelve', { service: { annotations: { 'mine/a': '1' }, ports: { http: { port: 8000 } } } }),
    )
    const { metadata } = await eventually(async () => {
      const service = await find(admin, resources.services, 'ingress-twelve', namespace)
      return service?.metadata.annotations?.['mine/b'] === undefined ? service : undefined
    })
    expect(metadata.annotations).toEqual({ 'mine/a': '1', 'cloud/id': 'lb-1' })
    expect(metadata.labels).toMatchObject({ 'cloud/zone': 'z' })
    expect(metadata.finalizers).toEqual(['service.kubernetes.io/load-balancer-cleanup'])
    await kubectl([
      'patch',
      'service',
      'ingress-twelve',
      '-n',
      namespace,
      '--type=merge',
      '-p',
      '{"metadata":{"finalizers":null}}',
    ])
  })

  it('14 and 15: objects of others with our names are not touched, are named, and the instance converges when they go', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const namespace = await createNamespace()
    const foreign = [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { namespace, name: 'ingress-fourteen' },
        spec: { ports: [{ port: 1 }] },
      },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'ingress-fourteen' } },
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { namespace, name: 'ingress-fourteen-default-tls' },
        data: { a: 'Yg==' },
      },
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IngressClass',
        metadata: { name: 'fourteen' },
        spec: { controller: 'other.example/controller' },
      },
    ]
    for (const object of foreign) await apply(object)
    const before = await Promise.all(
      foreign.map(object => find(admin, resourceFor(object), object.metadata.name, object.metadata.namespace)),
    )
    await apply(instance(namespace, 'fourteen'))
    const conflicted = await untilCondition(admin, namespace, 'fourteen', 'ObjectsApplied=False/NameConflict')
    for (const { kind, metadata } of foreign) {
      expect(condition(conflicted, 'ObjectsApplied').message).toMatch(new RegExp(`${kind} .*${metadata.name}`))
    }
    const after = await Promise.all(
      foreign.map(object => find(admin, resourceFor(object), object.metadata.name, object.metadata.namespace)),
    )
    expect(after.map(object => object?.metadata.resourceVersion)).toEqual(
      before.map(object => object?.metadata.resourceVersion),
    )

    for (const { kind, metadata } of foreign) {
      const inNamespace = metadata.namespace === undefined ? [] : ['-n', metadata.namespace]
      await kubectl(['delete', kind.toLowerCase(), metadata.name, ...inNamespace])
    }
    await untilCondition(admin, namespace, 'fourteen', 'ObjectsApplied=True')
    expect(await find(admin, resources.services, 'ingress-fourteen', namespace)).toBeDefined()
  })

  it('14: deleting the instance leaves objects of others where they are', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'ingress-stays' } })
    await apply(instance(namespace, 'stays'))
    await untilCondition(admin, namespace, 'stays', 'ObjectsApplied=False/NameConflict')
    await kubectl(['delete', 'igd', 'stays', '-n', namespace, '--timeout=20s'])
    await pause(500)
    const account = await find(admin, resources.serviceAccounts, 'ingress-stays', namespace)
    expect(account?.metadata.ownerReferences).toBeUndefined()
  })

  it('an IngressClass that is there for the wanted controller is used, and left as it is', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const namespace = await createNamespace()
    const spec = { controller: 'k8s.io/ingress-nginx' }
    await apply({ apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: 'taken-over' }, spec })
    const before = await find(admin, resources.ingressClasses, 'taken-over')
    await apply(
      instance(namespace, 'takes', { ingressClass: { name: 'taken-over', controller: 'k8s.io/ingress-nginx' } }),
    )
    await untilCondition(admin, namespace, 'takes', 'ObjectsApplied=True')
    await kubectl(['delete', 'igd', 'takes', '-n', namespace, '--timeout=20s'])
    const after = await find(admin, resources.ingressClasses, 'taken-over')
    expect(after?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion)
  })

  it('a change of the controller name replaces the IngressClass, whose controller can not be changed', async () => {
    const { admin, apply, createNamespace, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'replaced'))
    await untilCondition(admin, namespace, 'replaced', 'ObjectsApplied=True')
    await apply(instance(namespace, 'replaced', { ingressClass: { controller: 'k8s.io/ingress-nginx' } }))
    const replaced = await eventually(async () => {
      const found = await find(admin, resources.ingressClasses, 'replaced')
      return found?.spec?.['controller'] === 'k8s.io/ingress-nginx' ? found : undefined
    })
    expect(replaced.metadata.labels).toMatchObject({ 'ingressfleet.dev/ingressdeployment': 'replaced' })
  })

  it('16: kubectl rollout restart is carried out and its annotation kept', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'sixteen'))
    await untilCondition(admin, namespace, 'sixteen', 'ObjectsApplied=True')
    await kubectl(['rollout', 'restart', 'deployment/ingress-sixteen', '-n', namespace])
    await eventually(async () =>
      (await getInstance(admin, namespace, 'sixteen')).status?.updatedReplicas === 1 ? true : undefined,
    )
    await pause(1000)
    const deployment = await find(admin, resources.deployments, 'ingress-sixteen', namespace)
    const template = deployment?.spec?.['template'] as { metadata: Loose['metadata'] }
    expect(template.metadata.annotations).toHaveProperty(['kubectl.kubernetes.io/restartedAt'])
    expect(deployment?.spec?.['replicas']).toBe(2)
  })

  it('18: a child that is refused is named, the others are made, and it follows when it is accepted', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { namespace, name: 'none' },
      spec: { hard: { services: '0' } },
    })
    await eventually(async () => {
      const quota = await kubectl([
        'get',
        'resourcequota',
        'none',
        '-n',
        namespace,
        '-o',
        'jsonpath={.status.hard.services}',
      ])
      return quota === '0' ? true : undefined
    })
    await apply(instance(namespace, 'eighteen'))
    const refused = await untilCondition(admin, namespace, 'eighteen', 'ObjectsApplied=False/ApplyFailed')
    expect(condition(refused, 'ObjectsApplied').message).toMatch(/Service .*ingress-eighteen.*quota/)
    expect(await find(admin, resources.deployments, 'ingress-eighteen', namespace)).toBeDefined()
    await kubectl(['delete', 'resourcequota', 'none', '-n', namespace])
    await untilCondition(admin, namespace, 'eighteen', 'ObjectsApplied=True')
  })
})

async function childrenOf({ admin }: OperatorCluster, namespace: string, name: string): Promise<readonly Loose[]> {
  const labelSelector = `ingressfleet.dev/ingressdeployment=${name},ingressfleet.dev/ingressdeployment-namespace=${namespace}`
  const lists = await Promise.all(
    managedObjects.map(async row => {
      const { items } = await admin.list<Loose>(resourceOf(row), { labelSelector })
      return (items ?? []).map(object => ({ ...object, kind: row.kind }))
    }),
  )
  return lists.flat()
}

async function serviceOf(
  { admin }: OperatorCluster,
  namespace: string,
  name: string,
): Promise<Readonly<Record<string, unknown>>> {
  return (await find(admin, resources.services, `ingress-${name}`, namespace))?.spec ?? {}
}

function resourceFor({ kind }: { readonly kind: string }): Resource {
  return resourceOf({ kind })
}

/** A real webhook server over TLS that adds an annotation, a label and a sidecar to Deployments; gives its count of calls. */
async function installMutatingWebhook({ apply, kubectl }: OperatorCluster): Promise<() => number> {
  const pair = await generateSelfSigned({ hosts: ['localhost'], now: new Date() })
  let calls = 0
  const server: Server = createServer({ cert: pair.certificate, key: pair.key }, (request, response) => {
    void text(request).then(body => {
      calls += 1
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(mutate(JSON.parse(body) as AdmissionReview)))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await apply({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'test-injector' },
    webhooks: [
      {
        name: 'injector.test.example',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        namespaceSelector: { matchLabels: { mutated: 'yes' } },
        clientConfig: { url: `https://localhost:${port}/`, caBundle: Buffer.from(pair.certificate).toString('base64') },
        rules: [
          { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] },
        ],
      },
    ],
  })
  onTestFinished(async () => {
    await kubectl(['delete', 'mutatingwebhookconfiguration', 'test-injector'])
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  // The API server learns of a webhook a moment after it was made.
  await pause(1500)
  return () => calls
}

interface AdmissionReview {
  readonly apiVersion: string
  readonly kind: string
  readonly request: {
    readonly uid: string
    readonly object: {
      readonly spec: {
        readonly template: {
          readonly metadata: Loose['metadata']
          readonly spec: { readonly containers: readonly { readonly name: string }[] }
        }
      }
    }
  }
}

function mutate({ apiVersion, kind, request }: AdmissionReview): object {
  const { metadata, spec } = request.object.spec.template
  const annotations = { ...metadata.annotations, injected: 'yes' }
  const injected = spec.containers.some(({ name }) => name === 'sidecar')
  const patch = [
    { op: 'add', path: '/spec/template/metadata/annotations', value: annotations },
    { op: 'add', path: '/spec/template/metadata/labels/injected', value: 'yes' },
    ...(injected
      ? []
      : [
          {
            op: 'add',
            path: '/spec/template/spec/containers/-',
            value: { name: 'sidecar', image: 'localhost/sidecar:1' },
          },
        ]),
  ]
  const encoded = Buffer.from(JSON.stringify(patch)).toString('base64')
  return { apiVersion, kind, response: { uid: request.uid, allowed: true, patchType: 'JSONPatch', patch: encoded } }
}
