import { expect, it, vi } from 'vitest'
import type { ConfigMap, KubernetesObject } from '../../../src/api/kubernetes.ts'
import { fieldManager } from '../../../src/api/names.ts'
import { Applier, type ApplyRequest, deleteObject } from '../../../src/kube/apply.ts'
import type { KubeClient } from '../../../src/kube/client.ts'
import { appliedFields, isApplied } from '../../../src/kube/managed-fields.ts'
import { type Resource, resources } from '../../../src/kube/resource.ts'
import { describeOnCluster, type TestCluster } from '../cluster.ts'
import { withOwnNamespace } from './own-namespace.ts'

const ours = { 'test.ingressfleet.dev/owner': 'us' }
const isOurs = (live: KubernetesObject) => live.metadata.labels?.['test.ingressfleet.dev/owner'] === 'us'

/** One of each kind that the operator makes, written as a person would: with quantities and defaults left out. */
function objectsOfAllKinds(namespace: string): readonly (readonly [Resource, KubernetesObject])[] {
  const metadata = { namespace, name: 'web', labels: ours }
  const cluster = { name: `${namespace}-web`, labels: ours, annotations: { note: 'with a value' } }
  const rbac = 'rbac.authorization.k8s.io/v1'
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' }
  const subjects = [{ kind: 'ServiceAccount', namespace, name: 'web' }]
  const rules = [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['web'], verbs: ['get', 'watch'] }]
  const objects: (readonly [Resource, KubernetesObject & Record<string, unknown>])[] = [
    [
      resources.serviceAccounts,
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    ],
    [resources.configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: '1', b: '' } }],
    [resources.secrets, { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data: { a: 'MQ==' } }],
    [resources.roles, { apiVersion: rbac, kind: 'Role', metadata, rules }],
    [resources.roleBindings, { apiVersion: rbac, kind: 'RoleBinding', metadata, roleRef, subjects }],
    [
      resources.clusterRoleBindings,
      { apiVersion: rbac, kind: 'ClusterRoleBinding', metadata: cluster, roleRef, subjects },
    ],
    [
      resources.ingressClasses,
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IngressClass',
        metadata: cluster,
        spec: {
          controller: 'test.ingressfleet.dev/none',
          parameters: {
            apiGroup: 'ingressfleet.dev',
            kind: 'IngressDeployment',
            name: 'web',
            namespace,
            scope: 'Namespace',
          },
        },
      },
    ],
    [
      resources.services,
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata,
        spec: {
          type: 'LoadBalancer',
          selector: { app: 'web' },
          loadBalancerSourceRanges: ['10.0.0.0/8'],
          ports: [
            { name: 'http', port: 80, targetPort: 'http' },
            { name: 'https', port: 443, targetPort: 8443, protocol: 'TCP' },
            { name: 'quic', port: 443, targetPort: 8443, protocol: 'UDP' },
          ],
        },
      },
    ],
    [
      resources.podDisruptionBudgets,
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata,
        spec: { maxUnavailable: '25%', selector: { matchLabels: { app: 'web' } } },
      },
    ],
    [resources.deployments, deployment(namespace)],
  ]
  return objects
}

function deployment(namespace: string): KubernetesObject & Record<string, unknown> {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name: 'web', labels: ours },
    spec: {
      replicas: 0,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          serviceAccountName: 'web',
          nodeSelector: {},
          tolerations: [{ key: 'edge', operator: 'Exists' }],
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: { app: 'web' } },
            },
          ],
          containers: [
            {
              name: 'controller',
              image: 'localhost/web:1',
              args: ['proxy', '--flag'],
              env: [
                { name: 'PLAIN', value: '1' },
                { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
                { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
              ],
              ports: [
                { name: 'http', containerPort: 8080 },
                { name: 'metrics', containerPort: 10_254, protocol: 'TCP' },
              ],
              resources: { requests: { cpu: '0.1', memory: '100000Ki' }, limits: { cpu: 2, memory: '1.5Gi' } },
              readinessProbe: { httpGet: { path: '/readyz', port: 'metrics' } },
              securityContext: { capabilities: { drop: ['ALL'] } },
              volumeMounts: [{ name: 'run', mountPath: '/run' }],
            },
          ],
          volumes: [{ name: 'run', emptyDir: { sizeLimit: '0.5Gi' } }],
        },
      },
    },
  }
}

describeOnCluster('server-side apply', () => {
  let cluster: TestCluster
  let client: KubeClient
  let namespace: string

  withOwnNamespace(own => {
    ;({ cluster, client, namespace } = own)
  })

  const request = (resource: Resource, desired: KubernetesObject, live?: KubernetesObject): ApplyRequest => ({
    resource,
    desired,
    live,
    isOurs,
  })
  const configMap = (data: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name: 'settings', labels: ours },
    data,
  })
  const read = () => client.get<ConfigMap>(resources.configMaps, { namespace, name: 'settings' })

  it('sends nothing for an object of any kind that is as desired, not even after a restart', async () => {
    const applier = new Applier({ client })
    for (const [resource, desired] of objectsOfAllKinds(namespace)) {
      expect((await applier.apply(request(resource, desired))).kind).toBe('created')
    }
    const writes = client.writesExcept()
    // It remembers nothing of what was applied before.
    const restarted = new Applier({ client })
    for (const [resource, desired] of objectsOfAllKinds(namespace)) {
      const live = await client.get(resource, desired.metadata)
      expect({ kind: desired.kind, result: (await restarted.apply(request(resource, desired, live))).kind }).toEqual({
        kind: desired.kind,
        result: 'unchanged',
      })
    }
    expect(client.writesExcept()).toBe(writes)
    for (const resource of [resources.clusterRoleBindings, resources.ingressClasses]) {
      await client.delete(resource, { name: `${namespace}-web` })
    }
  })

  it('repairs what was edited by hand and leaves what others added', async () => {
    const applier = new Applier({ client })
    const desired = configMap({ mine: 'right' })
    await applier.apply(request(resources.configMaps, desired))
    await cluster.kubectl([
      '-n',
      namespace,
      'patch',
      'cm',
      'settings',
      '-p',
      '{"data":{"mine":"wrong","theirs":"kept"}}',
    ])
    const repaired = await applier.apply(request(resources.configMaps, desired, await read()))
    expect(repaired.kind).toBe('updated')
    expect((await read()).data).toEqual({ mine: 'right', theirs: 'kept' })
    expect((await applier.apply(request(resources.configMaps, desired, await read()))).kind).toBe('unchanged')
  })

  it('repairs a field in the middle of a Deployment, and one that was removed', async () => {
    const applier = new Applier({ client })
    const desired = deployment(namespace)
    const isAppliedIn = (live: KubernetesObject) => isApplied(desired, live, appliedFields(live, fieldManager) ?? {})
    const applyUntilUnchanged = async () => {
      await vi.waitFor(async () => {
        const live = await client.get(resources.deployments, desired.metadata)
        // The controllers write its status all the while, so a write may conflict.
        const result = await applier.apply({ ...request(resources.deployments, desired, live), isOurs: () => true })
        expect(result.kind).toBe('unchanged')
        expect(isAppliedIn(result.object)).toBe(true)
      }, 10_000)
    }
    await applier.apply(request(resources.deployments, desired))
    await applyUntilUnchanged()
    const patches = [
      [{ op: 'replace', path: '/spec/template/spec/containers/0/ports/0/containerPort', value: 9999 }],
      [{ op: 'replace', path: '/spec/template/spec/containers/0/resources/limits/cpu', value: '3' }],
      [{ op: 'remove', path: '/spec/template/spec/containers/0/env/0' }],
      [{ op: 'add', path: '/spec/template/spec/tolerations/-', value: { key: 'other', operator: 'Exists' } }],
      [{ op: 'remove', path: '/metadata/labels/test.ingressfleet.dev~1owner' }],
    ]
    for (const body of patches) {
      const edited = await client.patch(resources.deployments, desired.metadata, { type: 'json', body })
      expect({ body, stands: isAppliedIn(edited) }).toEqual({ body, stands: false })
      await applyUntilUnchanged()
    }
  })

  it('takes away what is no longer desired', async () => {
    const applier = new Applier({ client })
    await applier.apply(request(resources.configMaps, configMap({ a: '1', b: '2' })))
    const result = await applier.apply(request(resources.configMaps, configMap({ a: '1' }), await read()))
    expect(result.kind).toBe('updated')
    expect((await read()).data).toEqual({ a: '1' })
  })

  it('writes no second time when the server stores a value otherwise than it was sent', async () => {
    const applier = new Applier({ client })
    const spec = { holderIdentity: 'someone', renewTime: '2030-01-01T01:00:00.000000+01:00' }
    const metadata = { namespace, name: 'lease', labels: ours }
    const desired = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }
    await applier.apply(request(resources.leases, desired))
    const live = await client.get<KubernetesObject & { spec: typeof spec }>(resources.leases, metadata)
    expect(live.spec.renewTime).not.toBe(spec.renewTime)
    const writes = client.writesExcept()
    expect((await applier.apply(request(resources.leases, desired, live))).kind).toBe('unchanged')
    expect(client.writesExcept()).toBe(writes)
    const later = { ...desired, spec: { ...spec, renewTime: '2031-01-01T01:00:00.000000+01:00' } }
    expect((await applier.apply(request(resources.leases, later, live))).kind).toBe('updated')
  })

  it('never touches an object of that name that is not ours, whether the caller knew of it or not', async () => {
    const applier = new Applier({ client })
    await cluster.kubectl(['-n', namespace, 'create', 'configmap', 'settings', '--from-literal=whose=theirs'])
    const before = await read()
    expect((await applier.apply(request(resources.configMaps, configMap({ whose: 'ours' })))).kind).toBe('foreign')
    expect((await applier.apply(request(resources.configMaps, configMap({ whose: 'ours' }), before))).kind).toBe(
      'foreign',
    )
    expect((await read()).metadata.resourceVersion).toBe(before.metadata.resourceVersion)
    expect(client.writesExcept()).toBe(0)
  })

  it('does not overrule a successor of the object that the caller saw', async () => {
    const applier = new Applier({ client })
    const { object: seen } = await applier.apply(request(resources.configMaps, configMap({ whose: 'ours' })))
    await client.delete(resources.configMaps, { namespace, name: 'settings' })
    await cluster.kubectl(['-n', namespace, 'create', 'configmap', 'settings', '--from-literal=whose=theirs'])
    const stale = applier.apply(request(resources.configMaps, configMap({ whose: 'ours again' }), seen))
    await expect(stale).rejects.toMatchObject({ status: 409 })
    expect((await read()).data).toEqual({ whose: 'theirs' })
  })

  it('deletes only the very object that was meant, and is content when it is gone', async () => {
    await client.create(resources.configMaps, configMap({}))
    const { uid = '' } = (await read()).metadata
    const target = { namespace, name: 'settings', uid }
    expect(await deleteObject(client, resources.configMaps, { ...target, uid: 'another' })).toBe('replaced')
    expect(await deleteObject(client, resources.configMaps, target)).toBe('deleted')
    expect(await deleteObject(client, resources.configMaps, target)).toBe('absent')
  })
})
