import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { checkCrossFields, crossFieldRules, isNetwork } from '../../src/api/cross-field.ts'
import type { IngressDeployment } from '../../src/api/ingressdeployment.ts'
import { createIngressDeploymentValidator } from '../../src/api/schema.ts'

const validate = createIngressDeploymentValidator()

function object(spec: object, name = 'public'): IngressDeployment {
  const { value, problems } = validate({
    apiVersion: 'ingressfleet.dev/v1alpha1',
    kind: 'IngressDeployment',
    metadata: { namespace: 'edge', name },
    spec,
  })
  if (value === undefined) throw new Error(JSON.stringify(problems))
  return value
}

/** By the message that it must give: what breaks the rule, and something close to it that does not. */
const cases: Readonly<
  Record<string, { broken: IngressDeployment; kept: IngressDeployment; previous?: IngressDeployment; field: string }>
> = {
  'metadata.name may have at most 52 characters, because the objects named after it add a prefix': {
    broken: object({}, 'a'.repeat(53)),
    kept: object({}, 'a'.repeat(52)),
    field: 'metadata.name',
  },
  "metadata.name may have lower case letters, digits and '-' only, because a Service is named after it": {
    broken: object({}, 'a.b'),
    kept: object({}, 'a-b'),
    field: 'metadata.name',
  },
  "ingressClass.name can't be changed, because Ingresses refer to it; create another IngressDeployment": {
    broken: object({ ingressClass: { name: 'other' } }),
    kept: object({ ingressClass: { name: 'same' } }),
    previous: object({ ingressClass: { name: 'same' } }),
    field: 'spec.ingressClass',
  },
  'service.ports.*.nodePort is allowed with type NodePort or LoadBalancer only': {
    broken: object({ service: { type: 'ClusterIP', ports: { https: { nodePort: 30_443 } } } }),
    kept: object({ service: { type: 'LoadBalancer', ports: { https: { nodePort: 30_443 } } } }),
    field: 'spec.service',
  },
  'service.loadBalancerClass is allowed with type LoadBalancer only': {
    broken: object({ service: { type: 'NodePort', loadBalancerClass: 'a.example/b' } }),
    kept: object({ service: { type: 'LoadBalancer', loadBalancerClass: 'a.example/b' } }),
    field: 'spec.service',
  },
  'service.loadBalancerSourceRanges is allowed with type LoadBalancer only': {
    broken: object({ service: { type: 'NodePort', loadBalancerSourceRanges: ['192.0.2.0/24'] } }),
    kept: object({ service: { type: 'NodePort', loadBalancerSourceRanges: [] } }),
    field: 'spec.service',
  },
  'service.externalTrafficPolicy is allowed with type NodePort or LoadBalancer only': {
    broken: object({ service: { type: 'ClusterIP', externalTrafficPolicy: 'Local' } }),
    kept: object({ service: { type: 'NodePort', externalTrafficPolicy: 'Local' } }),
    field: 'spec.service',
  },
  'service.ports.http.port and service.ports.https.port must differ': {
    broken: object({ service: { ports: { http: { port: 443 } } } }),
    kept: object({ service: { ports: { http: { port: 444 } } } }),
    field: 'spec.service',
  },
  'service.ports.http.nodePort and service.ports.https.nodePort must differ': {
    broken: object({ service: { ports: { http: { nodePort: 30_000 }, https: { nodePort: 30_000 } } } }),
    kept: object({ service: { ports: { http: { nodePort: 30_000 }, https: { nodePort: 30_001 } } } }),
    field: 'spec.service',
  },
  "service.loadBalancerClass can't be changed on a Service of type LoadBalancer; set another service.type first, then the new class":
    {
      broken: object({ service: { loadBalancerClass: 'a.example/c' } }),
      kept: object({ service: { type: 'NodePort' } }),
      previous: object({ service: { loadBalancerClass: 'a.example/b' } }),
      field: 'spec.service.loadBalancerClass',
    },
  'must be a network in CIDR notation, as in 192.0.2.0/24 or 2001:db8::/32': {
    broken: object({ service: { loadBalancerSourceRanges: ['192.0.2.0/24', '127.0.0.1'] } }),
    kept: object({ service: { loadBalancerSourceRanges: ['192.0.2.0/24', '127.0.0.1/32'] } }),
    field: 'spec.service.loadBalancerSourceRanges[1]',
  },
  'pod.labels may not have keys of app.kubernetes.io/ or ingressfleet.dev/, which select the pods': {
    broken: object({ pod: { labels: { 'app.kubernetes.io/name': 'mine' } } }),
    kept: object({ pod: { labels: { 'example.com/name': 'mine' } } }),
    field: 'spec.pod.labels',
  },
  'set scope.namespaces or scope.namespaceSelector, not both': {
    broken: object({ scope: { namespaces: ['a'], namespaceSelector: {} } }),
    kept: object({ scope: { namespaceSelector: {} } }),
    field: 'spec.scope',
  },
  'set tls.defaultCertificate.secretName or tls.defaultCertificate.generated, not both': {
    broken: object({ tls: { defaultCertificate: { secretName: 'a', generated: {} } } }),
    kept: object({ tls: { defaultCertificate: { generated: {} } } }),
    field: 'spec.tls.defaultCertificate',
  },
  'minVersion, maxVersion, cipherSuites and curves are allowed with profile Custom only': {
    broken: object({ configuration: { tls: { curves: ['X25519'] } } }),
    kept: object({ configuration: { tls: { profile: 'Custom', curves: ['X25519'] } } }),
    field: 'spec.configuration.tls',
  },
  "minVersion (TLSv1.2 when absent) can't be above maxVersion (TLSv1.3 when absent)": {
    broken: object({ configuration: { tls: { profile: 'Custom', minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' } } }),
    kept: object({ configuration: { tls: { profile: 'Custom', minVersion: 'TLSv1.3' } } }),
    field: 'spec.configuration.tls',
  },
  'cipherSuites must hold one that begins with TLS_ where TLSv1.3 is allowed': {
    broken: object({ configuration: { tls: { profile: 'Custom', cipherSuites: ['ECDHE-RSA-AES128-GCM-SHA256'] } } }),
    kept: object({
      configuration: {
        tls: { profile: 'Custom', maxVersion: 'TLSv1.2', cipherSuites: ['ECDHE-RSA-AES128-GCM-SHA256'] },
      },
    }),
    field: 'spec.configuration.tls',
  },
  'cipherSuites must hold one that does not begin with TLS_ where TLSv1.2 or lower is allowed': {
    broken: object({ configuration: { tls: { profile: 'Custom', cipherSuites: ['TLS_AES_128_GCM_SHA256'] } } }),
    kept: object({
      configuration: { tls: { profile: 'Custom', minVersion: 'TLSv1.3', cipherSuites: ['TLS_AES_128_GCM_SHA256'] } },
    }),
    field: 'spec.configuration.tls',
  },
  'cipherSuites must hold one that ends in -SHA where TLSv1 or TLSv1.1 is allowed': {
    broken: object({ configuration: { tls: { profile: 'Custom', minVersion: 'TLSv1.1' } } }),
    kept: object({
      configuration: {
        tls: {
          profile: 'Custom',
          minVersion: 'TLSv1',
          cipherSuites: ['TLS_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-SHA'],
        },
      },
    }),
    field: 'spec.configuration.tls',
  },
  'must not hold the same value twice': {
    broken: object({ scope: { namespaces: ['a', 'b', 'a'] } }),
    kept: object({ scope: { namespaces: ['a', 'b'] } }),
    field: 'spec.scope.namespaces',
  },
}

/** Every `message` of an `x-kubernetes-validations` of the CRD. */
function messagesOfTheDefinition(): ReadonlySet<string> {
  const found = new Set<string>()
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const [key, value] of Object.entries(node)) {
      if (key === 'x-kubernetes-validations')
        for (const { message } of value as { message: string }[]) found.add(message)
      else visit(value)
    }
  }
  visit(parse(readFileSync(join(import.meta.dirname, '../../crds/ingressdeployment.yaml'), 'utf8')))
  return found
}

describe('the rules between fields', () => {
  it('say everything that the CRD says in CEL, with the same words', () => {
    const told = crossFieldRules.map(({ message }) => message)
    expect([...messagesOfTheDefinition()].filter(message => !told.includes(message))).toEqual([])
  })

  it('each have a case here', () => {
    expect(new Set(Object.keys(cases))).toEqual(new Set(crossFieldRules.map(({ message }) => message)))
  })

  for (const [message, { broken, kept, previous, field }] of Object.entries(cases)) {
    it(`refuse and name the field: ${message}`, () => {
      expect(checkCrossFields(broken, previous).map(problem => [problem.field, problem.message])).toContainEqual([
        field,
        message,
      ])
      expect(checkCrossFields(kept, previous)).toEqual([])
    })
  }

  it('that compare with what was before hold for a new object', () => {
    expect(
      checkCrossFields(object({ ingressClass: { name: 'new' }, service: { loadBalancerClass: 'a.example/b' } })),
    ).toEqual([])
  })
})

describe('isNetwork', () => {
  it.each(['0.0.0.0/0', '192.0.2.1/32', '2001:db8::/32', '::/0', 'fe80::1/128'])('takes %s', text => {
    expect(isNetwork(text)).toBe(true)
  })

  it.each([
    '',
    '192.0.2.0',
    '192.0.2.0/33',
    '192.0.2.0/-1',
    '192.0.2.0/08',
    '192.0.2/24',
    '256.0.0.0/8',
    '01.2.3.4/8',
    '2001:db8::/129',
    '::ffff:192.0.2.1/120',
    'fe80::1%eth0/64',
    'example.com/24',
    '1::2::3/64',
    '192.0.2.0/24/1',
  ])('refuses %s', text => {
    expect(isNetwork(text)).toBe(false)
  })

  it('takes every IPv4 and IPv6 network', () => {
    const ipV6 = fc.ipV6().filter(address => !address.includes('.'))
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, bits) => {
        expect(isNetwork(`${address}/${bits}`)).toBe(true)
      }),
    )
    fc.assert(
      fc.property(ipV6, fc.integer({ min: 0, max: 128 }), (address, bits) => {
        expect(isNetwork(`${address}/${bits}`)).toBe(true)
      }),
    )
  })
})
