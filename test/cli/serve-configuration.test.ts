import { describe, expect, test } from 'vitest'
import type { IngressClass } from '../../src/api/kubernetes.ts'
import { validateIngressDeployment } from '../../src/api/schema.ts'
import { decideServeConfiguration, generatedSecret, type ServeInputs } from '../../src/cli/serve-configuration.ts'
import { namespacesInScope } from '../../src/operator/plan.ts'

const noFlags = { ingressClass: undefined, configMap: undefined }
const nothing: ServeInputs = { deployments: [], classes: [], namespaces: [], configMap: undefined, secrets: new Set() }

function deployment(name: string, spec: object = {}) {
  const object = {
    apiVersion: 'ingressfleet.dev/v1alpha1',
    kind: 'IngressDeployment',
    metadata: { name, namespace: 'shop' },
    spec,
  }
  const { value, problems } = validateIngressDeployment(object)
  if (value === undefined) throw new Error(JSON.stringify(problems))
  return value
}

function ingressClass(name: string, annotations: Record<string, string> = {}): IngressClass {
  const metadata = { name, annotations }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata,
    spec: { controller: 'k8s.io/ingress-nginx' },
  }
}

describe('the class that serve serves', () => {
  test('is that of the flag, before all else', () => {
    const inputs = { ...nothing, deployments: [deployment('a')], classes: [ingressClass('b')] }
    const { translator, deployment: chosen } = decideServeConfiguration(
      { ...noFlags, ingressClass: 'b' },
      inputs,
      namespacesInScope,
    )
    expect(translator.ingressClass).toEqual({ name: 'b', isDefault: false, controller: 'k8s.io/ingress-nginx' })
    expect(chosen).toBeUndefined()
  })

  test('is that of the IngressDeployment, whose settings and scope apply with it', () => {
    const spec = {
      ingressClass: { name: 'web', default: true },
      scope: { namespaces: ['b', 'a'], ingressSelector: { matchLabels: { tier: 'edge' } } },
      configuration: { redirectStatus: 302 },
    }
    const { translator } = decideServeConfiguration(
      noFlags,
      {
        ...nothing,
        deployments: [deployment('shop', spec)],
        namespaces: ['a', 'b'].map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
      },
      namespacesInScope,
    )
    expect(translator.ingressClass).toMatchObject({ name: 'web', isDefault: true })
    expect([...(translator.namespaces ?? [])]).toEqual(['a', 'b'])
    expect(translator.ingressSelector).toEqual({ matchLabels: { tier: 'edge' } })
    expect(translator.settings.redirectStatus).toBe(302)
  })

  test('is the only IngressClass, the default one when it is marked so', () => {
    const classes = [ingressClass('only', { 'ingressclass.kubernetes.io/is-default-class': 'true' })]
    const { translator, everyClass } = decideServeConfiguration(noFlags, { ...nothing, classes }, namespacesInScope)
    expect(translator.ingressClass).toMatchObject({ name: 'only', isDefault: true })
    expect(everyClass).toBe(false)
  })

  test('is every class when there are none or several to choose from', () => {
    for (const classes of [[], [ingressClass('a'), ingressClass('b')]]) {
      expect(decideServeConfiguration(noFlags, { ...nothing, classes }, namespacesInScope).everyClass).toBe(true)
    }
  })
})

describe('the default certificate of serve', () => {
  const deployments = [deployment('shop', { tls: { defaultCertificate: { secretName: 'own' } } })]

  test("is the IngressDeployment's Secret when it is there", () => {
    const { translator, generatedFor } = decideServeConfiguration(
      noFlags,
      { ...nothing, deployments, secrets: new Set(['shop/own']) },
      namespacesInScope,
    )
    expect(translator.defaultCertificate).toEqual({ namespace: 'shop', name: 'own' })
    expect(generatedFor).toBeUndefined()
  })

  test('is generated when it is not, or when hosts are asked for', () => {
    const missing = decideServeConfiguration(noFlags, { ...nothing, deployments }, namespacesInScope)
    expect(missing.translator.defaultCertificate).toEqual(generatedSecret)
    expect(missing.generatedFor).toEqual(['ingress.local'])
    const asked = deployment('shop', { tls: { defaultCertificate: { generated: { hosts: ['*.shop.example.com'] } } } })
    const { generatedFor } = decideServeConfiguration(noFlags, { ...nothing, deployments: [asked] }, namespacesInScope)
    expect(generatedFor).toEqual(['*.shop.example.com'])
  })
})

describe('the settings of serve', () => {
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap' as const,
    metadata: { name: 'keys' },
    data: { 'http-redirect-code': '307', 'no-such-key': '1' },
  }
  const flags = { ...noFlags, configMap: { namespace: 'shop', name: 'keys' } }

  test('come from the ConfigMap of the flag, beneath the IngressDeployment, and its problems are its own', () => {
    const alone = decideServeConfiguration(flags, { ...nothing, configMap }, namespacesInScope)
    expect(alone.translator.settings.redirectStatus).toBe(307)
    expect(alone.problems).toEqual([
      expect.objectContaining({
        object: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'keys' },
        field: 'data[no-such-key]',
      }),
    ])
    const deployments = [deployment('shop', { configuration: { redirectStatus: 301 } })]
    expect(
      decideServeConfiguration(flags, { ...nothing, configMap, deployments }, namespacesInScope).translator.settings
        .redirectStatus,
    ).toBe(301)
  })

  test('are the defaults while the ConfigMap is missing, which is a problem', () => {
    const { problems, translator } = decideServeConfiguration(flags, nothing, namespacesInScope)
    expect(problems).toEqual([expect.objectContaining({ reason: 'ConfigMapNotFound' })])
    expect(translator.settings.redirectStatus).toBe(308)
  })
})
