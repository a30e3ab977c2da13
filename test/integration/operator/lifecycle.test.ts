import { expect, it } from 'vitest'
import type { Secret } from '../../../src/api/kubernetes.ts'
import { finalizer } from '../../../src/api/names.ts'
import { systemClock } from '../../../src/kube/clock.ts'
import { resources } from '../../../src/kube/resource.ts'
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

describeWithOperator('the life of an IngressDeployment', cluster => {
  it('1: becomes admitted, then available with a load balancer, without anything degraded', async () => {
    const { admin, apply, createNamespace, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'one'))
    const admitted = await untilCondition(admin, namespace, 'one', 'Admitted=True/Valid')
    await makePodsReady(admin, namespace, 'one')
    const ready = await untilCondition(admin, namespace, 'one', 'Ready=True/Ready')
    const wanted = { Available: 'True', LoadBalancerReady: 'True', Progressing: 'False', Degraded: 'False' }
    expect(Object.keys(wanted).map(type => [type, condition(ready, type).status])).toEqual(Object.entries(wanted))
    expect(admitted.status?.observedGeneration).toBe(1)
    expect(ready.status).toMatchObject({
      ingressClass: 'one',
      readyReplicas: 2,
      addresses: [{ type: 'IPAddress' }],
      certificate: { secretName: 'ingress-one-default-tls' },
    })
    const tickets = await find(admin, resources.secrets, 'ingress-one-session-tickets', namespace)
    const { 'ticket.key': key = '' } = (tickets as Secret | undefined)?.data ?? {}
    expect(Buffer.from(key, 'base64').length).toBe(48)
  })

  it('2 and 3: the younger of two that claim a class is refused by name and has no children, until the older goes', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const [first, second] = [await createNamespace(), await createNamespace()]
    await apply(instance(first, 'a', { ingressClass: { name: 'two' } }))
    await untilCondition(admin, first, 'a', 'ObjectsApplied=True')
    // Ages are compared by the second.
    await pause(1000)
    await apply(instance(second, 'b', { ingressClass: { name: 'two' } }))
    const refused = await untilCondition(admin, second, 'b', 'Admitted=False/ClassConflict')
    expect(condition(refused, 'Admitted').message).toContain(`${first}/a`)
    expect(await labelled(cluster(), second, 'b')).toEqual([])
    expect(await find(admin, resources.roleBindings, 'ingress-fleet:operator', second)).toBeUndefined()
    expect(condition(await getInstance(admin, first, 'a'), 'Admitted').status).toBe('True')

    await kubectl(['delete', 'igd', 'a', '-n', first])
    await untilCondition(admin, second, 'b', 'ObjectsApplied=True')
    const ingressClass = await find(admin, resources.ingressClasses, 'two')
    expect(ingressClass?.metadata.labels).toMatchObject({ 'ingressfleet.dev/ingressdeployment-namespace': second })
  })

  it('4: deletion takes down the serving part first and leaves nothing with its label behind', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'four'))
    await makePodsReady(cluster().admin, namespace, 'four')
    await apply(ingress(namespace, 'web', 'four'))
    await untilCondition(admin, namespace, 'four', 'LoadBalancerReady=True')
    await eventually(async () => ((await addressesOf(cluster(), namespace, 'web')).length > 0 ? true : undefined))

    // A pod that does not end holds the rest back: the class is still there for it.
    const [pod] = await podsOf(cluster(), namespace, 'four')
    await holdPod(cluster(), pod, ['test/hold'])
    await kubectl(['delete', 'igd', 'four', '-n', namespace, '--wait=false'])
    await eventually(async () =>
      (await find(admin, resources.deployments, 'ingress-four', namespace)) ? undefined : true,
    )
    expect(await find(admin, resources.services, 'ingress-four', namespace)).toBeUndefined()
    expect(await addressesOf(cluster(), namespace, 'web')).toEqual([])
    expect(await find(admin, resources.ingressClasses, 'four')).toBeDefined()
    expect((await getInstance(admin, namespace, 'four')).metadata.finalizers).toContain(finalizer)

    await holdPod(cluster(), pod, null)
    await eventually(async () =>
      (await find(admin, resources.ingressDeployments, 'four', namespace)) ? undefined : true,
    )
    await eventually(async () => ((await labelled(cluster(), namespace, 'four')).length === 0 ? true : undefined))
    await eventually(async () =>
      (await find(admin, resources.roleBindings, 'ingress-fleet:operator', namespace)) ? undefined : true,
    )
  })

  it('a pod that never ends does not hold up the deletion for ever', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    const before = await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'stuck'))
    await untilCondition(admin, namespace, 'stuck', 'ObjectsApplied=True')
    const [pod] = await eventually(async () => {
      const pods = await podsOf(cluster(), namespace, 'stuck')
      return pods.length > 0 ? pods : undefined
    })
    await holdPod(cluster(), pod, ['test/hold'])
    await kubectl(['delete', 'igd', 'stuck', '-n', namespace, '--wait=false'])
    await eventually(async () =>
      (await find(admin, resources.deployments, 'ingress-stuck', namespace)) ? undefined : true,
    )
    await pause(1500)
    expect(await find(admin, resources.ingressDeployments, 'stuck', namespace)).toBeDefined()
    await before.stop()
    // The grace period of 90 s and the patience after it are over for this one.
    await start({ clock: { ...systemClock, wallMs: () => Date.now() + 200_000 } })
    await eventually(async () =>
      (await find(admin, resources.ingressDeployments, 'stuck', namespace)) ? undefined : true,
    )
    await holdPod(cluster(), pod, null)
  })

  it('19 and 21: kubectl scale changes the number of proxies and no pod template; none at all is no fault', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'scaled', { service: { type: 'ClusterIP' } }))
    await untilCondition(admin, namespace, 'scaled', 'ObjectsApplied=True')
    for (const replicas of [3, 1, 0]) {
      await kubectl(['scale', 'igd/scaled', '-n', namespace, `--replicas=${replicas}`])
      await eventually(async () =>
        (await getInstance(admin, namespace, 'scaled')).status?.replicas === replicas ? true : undefined,
      )
    }
    const none = await untilCondition(admin, namespace, 'scaled', 'Available=False/ScaledToZero')
    expect(condition(none, 'Degraded').status).toBe('False')
    const { items } = await admin.list(resources.replicaSets, { namespace })
    expect(items).toHaveLength(1)
    const deployment = await find(admin, resources.deployments, 'ingress-scaled', namespace)
    const selected = deployment?.spec?.['selector'] as { readonly matchLabels?: object } | undefined
    const selector = Object.entries(selected?.matchLabels ?? {}).map(([key, value]) => `${key}=${String(value)}`)
    expect(none.status?.selector?.split(',').toSorted()).toEqual(selector.toSorted())
  })

  it('5: what was deleted while the operator was down is cleaned up when it returns', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    const before = await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'five'))
    await untilCondition(admin, namespace, 'five', 'ObjectsApplied=True')
    await before.stop()
    await kubectl(['delete', 'igd', 'five', '-n', namespace, '--wait=false'])
    await start()
    await eventually(async () =>
      (await find(admin, resources.ingressDeployments, 'five', namespace)) ? undefined : true,
    )
    await eventually(async () => ((await labelled(cluster(), namespace, 'five')).length === 0 ? true : undefined))
    expect(await labelled(cluster(), namespace, 'five')).toEqual([])
  })

  it('6: deletion completes when cluster-scoped children were deleted by hand', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    const operator = await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'six'))
    await untilCondition(admin, namespace, 'six', 'ObjectsApplied=True')
    await operator.stop()
    await kubectl(['delete', 'igd', 'six', '-n', namespace, '--wait=false'])
    await kubectl(['delete', 'ingressclass', 'six'])
    await kubectl(['delete', 'clusterrolebinding', `ingress-fleet:${namespace}:six`])
    await start()
    await eventually(async () =>
      (await find(admin, resources.ingressDeployments, 'six', namespace)) ? undefined : true,
    )
    expect(await labelled(cluster(), namespace, 'six')).toEqual([])
  })

  it('7: nothing is made anew while foreground deletion is under way', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'seven'))
    await untilCondition(admin, namespace, 'seven', 'ObjectsApplied=True')
    const before = await find(admin, resources.configMaps, 'ingress-seven', namespace)
    await admin.patch(
      resources.configMaps,
      { namespace, name: 'ingress-seven' },
      {
        type: 'merge',
        body: { metadata: { finalizers: ['test/hold'] } },
      },
    )
    await kubectl(['delete', 'igd', 'seven', '-n', namespace, '--cascade=foreground', '--wait=false'])
    await eventually(async () =>
      (await find(admin, resources.secrets, 'ingress-seven-default-tls', namespace)) ? undefined : true,
    )
    await kubectl(['label', 'igd', 'seven', '-n', namespace, 'look=again'])
    await pause(1000)
    expect(await find(admin, resources.secrets, 'ingress-seven-default-tls', namespace)).toBeUndefined()
    expect(await find(admin, resources.deployments, 'ingress-seven', namespace)).toBeUndefined()
    expect((await find(admin, resources.configMaps, 'ingress-seven', namespace))?.metadata.uid).toBe(
      before?.metadata.uid,
    )
    await admin.patch(
      resources.configMaps,
      { namespace, name: 'ingress-seven' },
      {
        type: 'merge',
        body: { metadata: { finalizers: null } },
      },
    )
    await eventually(async () =>
      (await find(admin, resources.ingressDeployments, 'seven', namespace)) ? undefined : true,
    )
  })

  it('8: one that is deleted and made anew with the same name becomes ready', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'eight'))
    const first = await untilCondition(admin, namespace, 'eight', 'ObjectsApplied=True')
    await kubectl(['delete', 'igd', 'eight', '-n', namespace])
    await apply(instance(namespace, 'eight'))
    const second = await untilCondition(admin, namespace, 'eight', 'ObjectsApplied=True')
    expect(second.metadata.uid).not.toBe(first.metadata.uid)
    const child = await find(admin, resources.deployments, 'ingress-eight', namespace)
    expect(child?.metadata.ownerReferences?.[0]?.uid).toBe(second.metadata.uid)
  })

  it('56: an invalid spec leaves the running pods as they are and says what is wrong', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'fiftysix'))
    await untilCondition(admin, namespace, 'fiftysix', 'ObjectsApplied=True')
    await makePodsReady(admin, namespace, 'fiftysix')
    await untilCondition(admin, namespace, 'fiftysix', 'Ready=True')
    const pods = (await podsOf(cluster(), namespace, 'fiftysix')).map(pod => pod.metadata.name)
    // As with an older CRD in the cluster: what it lets through, the operator refuses.
    await withoutRules(cluster(), async () => {
      await kubectl([
        'patch',
        'igd',
        'fiftysix',
        '-n',
        namespace,
        '--type=merge',
        '-p',
        '{"spec":{"replicas":5,"scope":{"namespaces":["a"],"namespaceSelector":{}}}}',
      ])
    })
    const refused = await untilCondition(admin, namespace, 'fiftysix', 'Admitted=False/Invalid')
    expect(condition(refused, 'Admitted').message).toContain('not both')
    expect(refused.status?.observedGeneration).toBe(refused.metadata.generation)
    expect(condition(refused, 'Available').status).toBe('True')
    expect((await podsOf(cluster(), namespace, 'fiftysix')).map(pod => pod.metadata.name)).toEqual(pods)
    await kubectl(['delete', 'igd', 'fiftysix', '-n', namespace])
  })

  it('57: a paused instance is left alone, also in what is edited by hand, until it is unpaused', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'fiftyseven'))
    await untilCondition(admin, namespace, 'fiftyseven', 'ObjectsApplied=True')
    await kubectl(['patch', 'igd', 'fiftyseven', '-n', namespace, '--type=merge', '-p', '{"spec":{"paused":true}}'])
    await untilCondition(admin, namespace, 'fiftyseven', 'Paused=True/Paused')
    await kubectl(['scale', 'deployment', 'ingress-fiftyseven', '-n', namespace, '--replicas=7'])
    await eventually(async () =>
      (await getInstance(admin, namespace, 'fiftyseven')).status?.replicas === 7 ? true : undefined,
    )
    expect((await find(admin, resources.deployments, 'ingress-fiftyseven', namespace))?.spec?.['replicas']).toBe(7)
    await kubectl(['patch', 'igd', 'fiftyseven', '-n', namespace, '--type=merge', '-p', '{"spec":{"paused":false}}'])
    await eventually(async () => {
      const deployment = await find(admin, resources.deployments, 'ingress-fiftyseven', namespace)
      return deployment?.spec?.['replicas'] === 2 ? true : undefined
    })
    await kubectl(['patch', 'igd', 'fiftyseven', '-n', namespace, '--type=merge', '-p', '{"spec":{"paused":true}}'])
    await kubectl(['delete', 'igd', 'fiftyseven', '-n', namespace, '--timeout=20s'])
  })

  it('what an instance left behind against its finalizer is swept up at the next start', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    const before = await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'swept'))
    await untilCondition(admin, namespace, 'swept', 'ObjectsApplied=True')
    await before.stop()
    await kubectl(['patch', 'igd', 'swept', '-n', namespace, '--type=merge', '-p', '{"metadata":{"finalizers":null}}'])
    await kubectl(['delete', 'igd', 'swept', '-n', namespace])
    expect(await find(admin, resources.ingressClasses, 'swept')).toBeDefined()
    await start()
    for (const [resource, name] of [
      [resources.ingressClasses, 'swept'],
      [resources.clusterRoleBindings, `ingress-fleet:${namespace}:swept`],
    ] as const) {
      await eventually(async () => ((await find(admin, resource, name)) ? undefined : true))
    }
    const binding = async () => find(admin, resources.roleBindings, 'ingress-fleet:operator', namespace)
    await eventually(async () => ((await binding()) ? undefined : true))
  })

  it('60: of two operators one acts, and the other goes on when the first ends', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    const namespace = await createNamespace()
    const first = await start({ leaderElection: true, identity: 'first' })
    await eventually(() => (first.running.isLeader ? true : undefined))
    const second = await start({ leaderElection: true, identity: 'second' })
    await apply(instance(namespace, 'sixty'))
    await untilCondition(admin, namespace, 'sixty', 'ObjectsApplied=True')
    expect(second.running).toMatchObject({ isReady: true, isLeader: false })
    expect(second.client.writesExcept('leases')).toBe(0)
    await first.stop()
    await kubectl(['delete', 'service', 'ingress-sixty', '-n', namespace])
    await eventually(() => find(admin, resources.services, 'ingress-sixty', namespace))
    expect(second.running.isLeader).toBe(true)
  })

  it('17: nothing is written when nothing changes, nor by an operator that starts and finds all converged', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    const operator = await start()
    // Instances of other tests have pods that never get ready, which one day degrades them.
    await kubectl(['delete', 'igd', '--all', '--all-namespaces', '--timeout=30s'])
    const namespace = await createNamespace()
    for (const name of ['calm-a', 'calm-b']) await apply(instance(namespace, name, { service: { type: 'ClusterIP' } }))
    await apply(ingress(namespace, 'web', 'calm-a'))
    for (const name of ['calm-a', 'calm-b']) {
      await untilCondition(admin, namespace, name, 'ObjectsApplied=True')
      await makePodsReady(admin, namespace, name)
      await untilCondition(admin, namespace, name, 'Ready=True')
    }
    await eventually(async () => ((await addressesOf(cluster(), namespace, 'web')).length > 0 ? true : undefined))
    await pause(1500)
    const before = operator.client.writesExcept()
    await pause(3000)
    expect(operator.client.writesExcept() - before).toBe(0)
    await operator.stop()

    const successor = await start({ leaderElection: true })
    await eventually(() => (successor.running.isLeader ? true : undefined))
    await eventually(() => (successor.running.counts().queueDepth === 0 ? true : undefined))
    await pause(2000)
    expect(successor.client.writesExcept('leases')).toBe(0)
  })
})

function ingress(namespace: string, name: string, ingressClassName: string): object {
  const backend = { service: { name: 'app', port: { number: 80 } } }
  const paths = [{ path: '/', pathType: 'Prefix', backend }]
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { namespace, name: 'app' },
        spec: { selector: { app: 'none' }, ports: [{ port: 80 }] },
      },
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { namespace, name },
        spec: { ingressClassName, rules: [{ host: `${name}.${namespace}.example`, http: { paths } }] },
      },
    ],
  }
}

async function addressesOf({ admin }: OperatorCluster, namespace: string, name: string): Promise<readonly unknown[]> {
  const found = await find(admin, resources.ingresses, name, namespace)
  const balancer = found?.status?.['loadBalancer'] as { readonly ingress?: readonly unknown[] } | undefined
  return balancer?.ingress ?? []
}

async function podsOf({ admin }: OperatorCluster, namespace: string, name: string): Promise<readonly Loose[]> {
  const labelSelector = `ingressfleet.dev/ingressdeployment=${name}`
  const { items } = await admin.list<Loose>(resources.pods, { namespace, labelSelector })
  return (items ?? []).toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1))
}

async function holdPod(
  { admin }: OperatorCluster,
  pod: Loose | undefined,
  finalizers: readonly string[] | null,
): Promise<void> {
  if (pod === undefined) throw new Error('there is no pod to hold')
  const { namespace = '', name } = pod.metadata
  await admin.patch(resources.pods, { namespace, name }, { type: 'merge', body: { metadata: { finalizers } } })
}

/** Kinds and names of everything that says it belongs to the instance. */
async function labelled({ admin }: OperatorCluster, namespace: string, name: string): Promise<readonly string[]> {
  const labelSelector = `ingressfleet.dev/ingressdeployment=${name},ingressfleet.dev/ingressdeployment-namespace=${namespace}`
  const found = await Promise.all(
    managedObjects.map(async row => {
      const { items } = await admin.list<Loose>(resourceOf(row), { labelSelector })
      return (items ?? []).map(object => `${row.kind} ${object.metadata.name}`)
    }),
  )
  return found.flat()
}

/** Lets through what CEL refuses, for a moment. */
async function withoutRules({ kubectl }: OperatorCluster, during: () => Promise<void>): Promise<void> {
  const original = await kubectl(['get', 'crd', 'ingressdeployments.ingressfleet.dev', '-o', 'json'])
  const definition = JSON.parse(original) as {
    metadata: Record<string, unknown>
    spec: unknown
    apiVersion: string
    kind: string
  }
  const metadata = { name: definition.metadata['name'] }
  const bare = JSON.stringify({ ...definition, metadata, status: undefined }, (key, value: unknown) =>
    key === 'x-kubernetes-validations' ? undefined : value,
  )
  await kubectl(['replace', '-f', '-'], bare)
  try {
    await eventually(() => during().then(() => true))
  } finally {
    await kubectl(['replace', '-f', '-'], JSON.stringify({ ...definition, metadata, status: undefined }))
  }
}
