import { expect, it } from 'vitest'
import type { IngressDeployment } from '../../../src/api/ingressdeployment.ts'
import { systemClock } from '../../../src/kube/clock.ts'
import { resources } from '../../../src/kube/resource.ts'
import {
  condition,
  describeWithOperator,
  eventually,
  find,
  getInstance,
  instance,
  makePodsReady,
  type OperatorCluster,
  untilCondition,
} from './operator-cluster.ts'

describeWithOperator('publishing', cluster => {
  it('27 and 28: a change of type keeps the Service and leaves no other behind', async () => {
    const { admin, apply, createNamespace, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(
      instance(namespace, 'types', { service: { type: 'LoadBalancer', loadBalancerSourceRanges: ['192.0.2.0/24'] } }),
    )
    await untilCondition(admin, namespace, 'types', 'LoadBalancerReady=True/LoadBalancerProvisioned')
    const before = await find(admin, resources.services, 'ingress-types', namespace)
    for (const type of ['NodePort', 'ClusterIP', 'LoadBalancer'] as const) {
      await apply(instance(namespace, 'types', { service: { type } }))
      await eventually(async () =>
        (await serviceSpec(cluster(), namespace, 'types'))['type'] === type ? true : undefined,
      )
      const object = await settled(cluster(), namespace, 'types')
      expect(condition(object, 'ObjectsApplied')).toMatchObject({ status: 'True' })
      const after = await find(admin, resources.services, 'ingress-types', namespace)
      expect(after?.metadata.uid).toBe(before?.metadata.uid)
      expect(condition(object, 'LoadBalancerReady').reason === 'NotWanted').toBe(type !== 'LoadBalancer')
    }
    const { items } = await admin.list(resources.services, { namespace })
    expect(items).toHaveLength(1)
  })

  it('29: pinned node ports are taken, allocated ones stay, and a taken one is a condition', async () => {
    const { admin, apply, createNamespace, start } = cluster()
    await start()
    const namespace = await createNamespace()
    const pinned = { http: { nodePort: 30_080 }, https: { nodePort: 30_443 } }
    await apply(instance(namespace, 'pinned', { service: { type: 'NodePort', ports: pinned } }))
    const object = await untilCondition(admin, namespace, 'pinned', 'ObjectsApplied=True')
    expect(await nodePorts(cluster(), namespace, 'pinned')).toEqual([30_080, 30_443])
    await eventually(async () => {
      expect((await getInstance(admin, namespace, 'pinned')).status?.nodePorts).toEqual({ http: 30_080, https: 30_443 })
      return true
    })
    expect(object.status?.observedGeneration).toBe(1)

    await apply(instance(namespace, 'free', { service: { type: 'NodePort' } }))
    await untilCondition(admin, namespace, 'free', 'ObjectsApplied=True')
    const allocated = await nodePorts(cluster(), namespace, 'free')
    await apply(instance(namespace, 'free', { replicas: 1, service: { type: 'NodePort', labels: { changed: 'yes' } } }))
    await eventually(async () => {
      const service = await find(admin, resources.services, 'ingress-free', namespace)
      return service?.metadata.labels?.['changed'] === 'yes' ? true : undefined
    })
    expect(await nodePorts(cluster(), namespace, 'free')).toEqual(allocated)

    await apply(instance(namespace, 'taken', { service: { type: 'NodePort', ports: pinned } }))
    const refused = await untilCondition(admin, namespace, 'taken', 'ObjectsApplied=False/ApplyFailed')
    expect(condition(refused, 'ObjectsApplied').message).toContain('30080')
    expect(await find(admin, resources.deployments, 'ingress-taken', namespace)).toBeDefined()
  })

  it('30: a node port with type ClusterIP is refused at admission', async () => {
    const { apply, createNamespace } = cluster()
    const namespace = await createNamespace()
    const service = { type: 'ClusterIP', ports: { http: { nodePort: 30_081 } } }
    await expect(apply(instance(namespace, 'refused', { service }))).rejects.toThrow(
      'service.ports.*.nodePort is allowed with type NodePort or LoadBalancer only',
    )
  })

  it('31: source ranges are set, changed and cleared, and what is no network is refused', async () => {
    const { admin, apply, createNamespace, kubectl, start } = cluster()
    await start()
    const namespace = await createNamespace()
    const ranges = async (): Promise<unknown> =>
      (await serviceSpec(cluster(), namespace, 'ranges'))['loadBalancerSourceRanges']
    for (const wanted of [['192.0.2.0/24'], ['198.51.100.0/24', '2001:db8::/32']]) {
      await apply(instance(namespace, 'ranges', { service: { loadBalancerSourceRanges: wanted } }))
      await eventually(async () => {
        expect(await ranges()).toEqual(wanted)
        return true
      })
    }
    await kubectl([
      'patch',
      'igd',
      'ranges',
      '-n',
      namespace,
      '--type=merge',
      '-p',
      '{"spec":{"service":{"loadBalancerSourceRanges":[]}}}',
    ])
    await eventually(async () => ((await ranges()) === undefined ? true : undefined))
    expect(condition(await getInstance(admin, namespace, 'ranges'), 'Admitted').status).toBe('True')
    await expect(
      apply(instance(namespace, 'ranges', { service: { loadBalancerSourceRanges: ['127.0.0.1'] } })),
    ).rejects.toThrow('CIDR')
  })

  it('32: the load-balancer class is applied, and a change in place is refused with the way to go', async () => {
    const { admin, apply, createNamespace, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'classed', { service: { loadBalancerClass: 'example.com/one' } }))
    await untilCondition(admin, namespace, 'classed', 'ObjectsApplied=True')
    expect(await serviceSpec(cluster(), namespace, 'classed')).toMatchObject({ loadBalancerClass: 'example.com/one' })
    await expect(
      apply(instance(namespace, 'classed', { service: { loadBalancerClass: 'example.com/two' } })),
    ).rejects.toThrow("can't be changed on a Service of type LoadBalancer; set another service.type first")
    await apply(instance(namespace, 'classed', { service: { type: 'ClusterIP' } }))
    await eventually(async () =>
      (await serviceSpec(cluster(), namespace, 'classed'))['type'] === 'ClusterIP' ? true : undefined,
    )
    await apply(instance(namespace, 'classed', { service: { loadBalancerClass: 'example.com/two' } }))
    await eventually(async () => {
      expect(await serviceSpec(cluster(), namespace, 'classed')).toMatchObject({ loadBalancerClass: 'example.com/two' })
      return true
    })
  })

  it("33: a load balancer that stays pending is told with the text of the controller's Event", async () => {
    const { admin, apply, createNamespace, start } = cluster()
    await start()
    const namespace = await createNamespace()
    // Nobody implements this class.
    await apply(instance(namespace, 'pending', { service: { loadBalancerClass: 'example.com/nobody' } }))
    const pending = await untilCondition(admin, namespace, 'pending', 'LoadBalancerReady=False/LoadBalancerPending')
    expect(condition(pending, 'Available').status).toBe('False')
    expect(condition(pending, 'Degraded').status).toBe('False')
    const service = await find(admin, resources.services, 'ingress-pending', namespace)
    await apply({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace, name: 'pending.1' },
      involvedObject: {
        apiVersion: 'v1',
        kind: 'Service',
        namespace,
        name: 'ingress-pending',
        uid: service?.metadata.uid,
      },
      type: 'Warning',
      reason: 'SyncLoadBalancerFailed',
      message: 'Error syncing load balancer: quota of addresses exceeded',
      lastTimestamp: new Date().toISOString(),
      source: { component: 'service-controller' },
    })
    const failed = await untilCondition(admin, namespace, 'pending', 'LoadBalancerReady=False/SyncLoadBalancerFailed')
    expect(condition(failed, 'LoadBalancerReady').message).toContain('quota of addresses exceeded')
  })

  it('33: a pending load balancer degrades the instance when its grace period is over', async () => {
    const { admin, apply, createNamespace, start } = cluster()
    const namespace = await createNamespace()
    const first = await start()
    await apply(instance(namespace, 'late', { service: { loadBalancerClass: 'example.com/nobody' } }))
    await untilCondition(admin, namespace, 'late', 'LoadBalancerReady=False')
    await first.stop()
    await start({ clock: { ...systemClock, wallMs: () => Date.now() + 100_000 } })
    const late = await untilCondition(admin, namespace, 'late', 'Degraded=True/DegradedConditions')
    expect(condition(late, 'Degraded').message).toContain('LoadBalancerReady')
  })

  it('34: an address, then a host name, show in the status of the instance and of its Ingresses', async () => {
    const { admin, apply, createNamespace, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'addressed', { service: { loadBalancerClass: 'example.com/by-hand' } }))
    await untilCondition(admin, namespace, 'addressed', 'ObjectsApplied=True')
    await apply(ingress(namespace, 'addressed'))
    await balanceTo(cluster(), namespace, { ip: '192.0.2.7' })
    // Nobody is sent to an address where no proxy can answer yet.
    expect((await find(admin, resources.ingresses, 'web', namespace))?.status?.['loadBalancer']).toEqual({})
    await makePodsReady(admin, namespace, 'addressed')
    await untilPublished(cluster(), namespace, { ip: '192.0.2.7' })
    await balanceTo(cluster(), namespace, { hostname: 'lb.example.com' })
    await untilPublished(cluster(), namespace, { hostname: 'lb.example.com' })
    expect(condition(await getInstance(admin, namespace, 'addressed'), 'LoadBalancerReady').reason).toBe(
      'LoadBalancerProvisioned',
    )
  })

  it('a NodePort instance is reached at the nodes of its ready pods', async () => {
    const { admin, apply, createNamespace, start } = cluster()
    await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'nodes', { service: { type: 'NodePort' } }))
    await makePodsReady(admin, namespace, 'nodes')
    const ready = await untilCondition(admin, namespace, 'nodes', 'Ready=True')
    expect(ready.status?.addresses?.map(({ value }) => value)).toEqual(['192.0.2.1', '192.0.2.2'])
  })
})

function ingress(namespace: string, ingressClassName: string): object {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { namespace, name: 'web' },
    spec: { ingressClassName, defaultBackend: { service: { name: 'app', port: { number: 80 } } } },
  }
}

async function serviceSpec(
  { admin }: OperatorCluster,
  namespace: string,
  name: string,
): Promise<Readonly<Record<string, unknown>>> {
  return (await find(admin, resources.services, `ingress-${name}`, namespace))?.spec ?? {}
}

async function nodePorts(
  cluster: OperatorCluster,
  namespace: string,
  name: string,
): Promise<readonly (number | undefined)[]> {
  const { ports } = (await serviceSpec(cluster, namespace, name)) as { ports?: readonly { nodePort?: number }[] }
  return (ports ?? []).map(({ nodePort }) => nodePort)
}

/** The status speaks of the newest spec. */
function settled({ admin }: OperatorCluster, namespace: string, name: string): Promise<IngressDeployment> {
  return eventually(async () => {
    const object = await getInstance(admin, namespace, name)
    const current = object.status?.observedGeneration === object.metadata.generation
    return current && condition(object, 'ObjectsApplied').status === 'True' ? object : undefined
  })
}

/** Does what a load-balancer controller would, and waits until the instance's status has the address. */
async function balanceTo(
  { admin }: OperatorCluster,
  namespace: string,
  entry: Readonly<Record<string, string>>,
): Promise<void> {
  const target = { namespace, name: 'ingress-addressed', subresource: 'status' }
  const body = { status: { loadBalancer: { ingress: [entry] } } }
  await admin.patch(resources.services, target, { type: 'merge', body })
  await eventually(async () => {
    const { status } = await getInstance(admin, namespace, 'addressed')
    expect(status?.addresses?.map(({ value }) => value)).toEqual(Object.values(entry))
    return true
  })
}

async function untilPublished(
  { admin }: OperatorCluster,
  namespace: string,
  entry: Readonly<Record<string, string>>,
): Promise<void> {
  await eventually(async () => {
    const found = await find(admin, resources.ingresses, 'web', namespace)
    expect(found?.status?.['loadBalancer']).toEqual({ ingress: [entry] })
    return true
  })
}
