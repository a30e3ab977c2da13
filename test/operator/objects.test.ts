import { describe, expect, it } from 'vitest'
import { childName, instanceConfigurationKey } from '../../src/api/names.ts'
import { desired, managedObjects } from '../../src/operator/objects/index.ts'
import type { DesiredObject } from '../../src/operator/objects/managed-object.ts'
import { type Plan, plan } from '../../src/operator/plan.ts'

function planned(spec: object, name = 'public'): Plan {
  const result = plan(
    {
      apiVersion: 'ingressfleet.dev/v1alpha1',
      kind: 'IngressDeployment',
      metadata: { namespace: 'edge', name, uid: 'u' },
      spec,
    },
    {
      operatorImage: 'ingress-fleet:1',
      operatorServiceAccount: { namespace: 'system', name: 'operator' },
      namespaces: undefined,
      secretNamespaces: ['app'],
      keyPair: { certificate: 'c', key: 'k' },
    },
  )
  if (result.plan === undefined) throw new Error(JSON.stringify(result.problems))
  return result.plan
}

const specs = [{}, { scope: { namespaces: ['app', 'edge'] } }, { service: { type: 'ClusterIP' } }]
const everything: readonly DesiredObject[] = specs.flatMap(spec => desired(planned(spec)))

describe('the objects of an instance', () => {
  it('come in an order in which a permission is there before what makes a proxy use it', () => {
    const kinds = managedObjects.map(row => row.kind)
    for (const permission of ['Role', 'RoleBinding', 'ClusterRoleBinding'] as const) {
      expect(kinds.indexOf(permission)).toBeLessThan(kinds.indexOf('ConfigMap'))
    }
    expect(kinds.indexOf('Role')).toBeLessThan(kinds.indexOf('RoleBinding'))
    expect(kinds.indexOf('ServiceAccount')).toBe(0)
    expect(kinds.at(-1)).toBe('Deployment')
  })

  it('all say whose they are, and are controlled by their owner exactly where it is in the same namespace', () => {
    for (const { metadata, kind } of everything) {
      expect(metadata.labels).toMatchObject({
        'app.kubernetes.io/managed-by': 'ingress-fleet',
        'ingressfleet.dev/ingressdeployment': 'public',
        'ingressfleet.dev/ingressdeployment-namespace': 'edge',
      })
      const distant = metadata.namespace !== 'edge' || metadata.name.startsWith('ingress-fleet:')
      expect([kind, metadata.ownerReferences?.[0]?.uid]).toEqual([kind, distant ? undefined : 'u'])
    }
  })

  it('give a proxy no verb but get, list and watch', () => {
    const verbs = everything
      .filter(({ kind }) => kind === 'Role')
      .flatMap(role => (role['rules'] as { verbs: string[] }[]).flatMap(rule => rule.verbs))
    expect(new Set(verbs)).toEqual(new Set(['get', 'list', 'watch']))
  })

  it('bind only the three fixed roles and the own one', () => {
    const roles = everything.flatMap(({ roleRef }) =>
      roleRef === undefined ? [] : [(roleRef as { name: string }).name],
    )
    expect(new Set(roles)).toEqual(new Set(['ingress-public', 'ingress-fleet-proxy', 'ingress-fleet-secret-reader']))
  })

  it('select pods by labels that the pods have, whatever labels the user adds', () => {
    const objects = desired(planned({ pod: { labels: { team: 'edge' } }, service: { labels: { team: 'edge' } } }))
    const service = objects.find(({ kind }) => kind === 'Service')?.['spec'] as { selector: object }
    const deployment = objects.find(({ kind }) => kind === 'Deployment')?.['spec'] as {
      selector: { matchLabels: object }
      template: { metadata: { labels: object } }
    }
    expect(deployment.template.metadata.labels).toMatchObject(service.selector)
    expect(deployment.selector.matchLabels).toEqual(service.selector)
  })

  it('have names that are short enough for the longest name of an owner', () => {
    const name = 'a'.repeat(52)
    for (const { kind, metadata } of desired(planned({}, name))) {
      const limit = kind === 'Service' ? 63 : 253
      expect(metadata.name.length).toBeLessThanOrEqual(limit)
      for (const value of Object.values(metadata.labels ?? {})) expect(value.length).toBeLessThanOrEqual(63)
    }
  })

  it('change no pod when only the configuration changes', () => {
    const template = (spec: object): unknown => desired(planned(spec)).find(({ kind }) => kind === 'Deployment')
    const configuration = { accessLog: 'json', timeouts: { readSeconds: 1 }, ingressNginx: { 'proxy-body-size': '1m' } }
    expect(template({ configuration })).toEqual(template({}))
    expect(template({ scope: { namespaces: ['a'] } })).toEqual(template({}))
  })

  it('keep the own configuration when a key of ingress-nginx has its name', () => {
    const given = planned({
      configuration: { ingressNginx: { [instanceConfigurationKey]: 'broken', 'proxy-body-size': '1m' } },
    })
    const configMap = desired(given).find(({ kind }) => kind === 'ConfigMap')
    const data = configMap?.['data'] as Readonly<Record<string, string>>
    expect(JSON.parse(data[instanceConfigurationKey] ?? '')).toMatchObject({ instance: given.instance })
    expect(data['proxy-body-size']).toBe('1m')
    expect(configMap?.metadata.name).toBe(childName(given.instance))
  })

  it('are replaced only where the API server lets nobody change them', () => {
    const row = (kind: string) => managedObjects.find(one => one.kind === kind)
    const [one] = desired(planned({})).filter(({ kind }) => kind === 'IngressClass')
    const [other] = desired(planned({ ingressClass: { controller: 'k8s.io/ingress-nginx' } })).filter(
      ({ kind }) => kind === 'IngressClass',
    )
    if (one === undefined || other === undefined) throw new Error('no IngressClass')
    const replaces = (live: DesiredObject, wanted: DesiredObject): boolean | undefined => {
      const found = row('IngressClass')
      return found !== undefined && 'mustReplace' in found ? found.mustReplace?.(live, wanted) : undefined
    }
    expect(replaces(one, other)).toBe(true)
    expect(replaces(one, one)).toBe(false)
  })
})
