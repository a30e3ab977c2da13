import type { IngressDeployment } from './ingressdeployment.ts'
import { apiVersion } from './names.ts'
import type { Problem } from './problem.ts'
import { tlsRules } from './tls-rules.ts'

/**
 * What the CRD says in CEL, said again for objects that no API server has checked (files, a cluster with an older
 * CRD), with the same messages. A test holds the two together.
 */
export interface Rule {
  readonly field: string
  readonly message: string
  /** Fields at fault; none when the rule holds. `previous` is the stored object of an update. */
  broken(object: IngressDeployment, previous: IngressDeployment | undefined): boolean | readonly string[]
}

type Service = IngressDeployment['spec']['service']

const namePattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

export const crossFieldRules: readonly Rule[] = [
  {
    field: 'metadata.name',
    message: 'metadata.name may have at most 52 characters, because the objects named after it add a prefix',
    broken: ({ metadata }) => metadata.name.length > 52,
  },
  {
    field: 'metadata.name',
    message: "metadata.name may have lower case letters, digits and '-' only, because a Service is named after it",
    broken: ({ metadata }) => !namePattern.test(metadata.name),
  },
  {
    field: 'spec.ingressClass',
    message: "ingressClass.name can't be changed, because Ingresses refer to it; create another IngressDeployment",
    broken: ({ spec }, previous) =>
      previous !== undefined && spec.ingressClass.name !== previous.spec.ingressClass.name,
  },
  {
    field: 'spec.service',
    message: 'service.ports.*.nodePort is allowed with type NodePort or LoadBalancer only',
    broken: ({ spec: { service } }) => service.type === 'ClusterIP' && nodePorts(service).length > 0,
  },
  {
    field: 'spec.service',
    message: 'service.loadBalancerClass is allowed with type LoadBalancer only',
    broken: ({ spec: { service } }) => service.type !== 'LoadBalancer' && service.loadBalancerClass !== undefined,
  },
  {
    field: 'spec.service',
    message: 'service.loadBalancerSourceRanges is allowed with type LoadBalancer only',
    broken: ({ spec: { service } }) =>
      service.type !== 'LoadBalancer' && (service.loadBalancerSourceRanges ?? []).length > 0,
  },
  {
    field: 'spec.service',
    message: 'service.externalTrafficPolicy is allowed with type NodePort or LoadBalancer only',
    broken: ({ spec: { service } }) => service.type === 'ClusterIP' && service.externalTrafficPolicy !== undefined,
  },
  {
    field: 'spec.service',
    message: 'service.ports.http.port and service.ports.https.port must differ',
    broken: ({ spec: { service } }) => service.ports.http.port === service.ports.https.port,
  },
  {
    field: 'spec.service',
    message: 'service.ports.http.nodePort and service.ports.https.nodePort must differ',
    broken: ({ spec: { service } }) => new Set(nodePorts(service)).size < nodePorts(service).length,
  },
  {
    field: 'spec.service.loadBalancerClass',
    message:
      "service.loadBalancerClass can't be changed on a Service of type LoadBalancer; set another service.type first, then the new class",
    broken: ({ spec: { service } }, previous) => {
      const before = previous?.spec.service.loadBalancerClass
      return before !== undefined && service.loadBalancerClass !== undefined && service.loadBalancerClass !== before
    },
  },
  {
    field: 'spec.service.loadBalancerSourceRanges',
    message: 'must be a network in CIDR notation, as in 192.0.2.0/24 or 2001:db8::/32',
    broken: ({ spec: { service } }) =>
      (service.loadBalancerSourceRanges ?? []).flatMap((range, index) =>
        isNetwork(range) ? [] : [`spec.service.loadBalancerSourceRanges[${index}]`],
      ),
  },
  {
    field: 'spec.pod.labels',
    message: 'pod.labels may not have keys of app.kubernetes.io/ or ingressfleet.dev/, which select the pods',
    broken: ({ spec: { pod } }) =>
      Object.keys(pod.labels ?? {}).some(
        key => key.startsWith('app.kubernetes.io/') || key.startsWith('ingressfleet.dev/'),
      ),
  },
  {
    field: 'spec.scope',
    message: 'set scope.namespaces or scope.namespaceSelector, not both',
    broken: ({ spec: { scope } }) => scope.namespaces !== undefined && scope.namespaceSelector !== undefined,
  },
  {
    field: 'spec.tls.defaultCertificate',
    message: 'set tls.defaultCertificate.secretName or tls.defaultCertificate.generated, not both',
    broken: ({ spec: { tls } }) =>
      tls.defaultCertificate.secretName !== undefined && tls.defaultCertificate.generated !== undefined,
  },
  ...tlsRules,
  {
    // `x-kubernetes-list-type: set` in the CRD: the API server refuses it with words of its own.
    field: 'spec',
    message: 'must not hold the same value twice',
    broken: ({ spec }) => [
      ...duplicates('spec.service.loadBalancerSourceRanges', spec.service.loadBalancerSourceRanges),
      ...duplicates('spec.scope.namespaces', spec.scope.namespaces),
      ...duplicates('spec.tls.defaultCertificate.generated.hosts', spec.tls.defaultCertificate.generated?.hosts),
      ...duplicates('spec.configuration.tls.cipherSuites', spec.configuration.tls?.cipherSuites),
      ...duplicates('spec.configuration.tls.curves', spec.configuration.tls?.curves),
    ],
  },
]

/** Problems between fields of an object whose defaults are filled in. */
export function checkCrossFields(object: IngressDeployment, previous?: IngressDeployment): readonly Problem[] {
  const { namespace = '', name, uid } = object.metadata
  const subject = { apiVersion, kind: 'IngressDeployment', namespace, name, ...(uid ? { uid } : {}) }
  return crossFieldRules.flatMap(rule => {
    const broken = rule.broken(object, previous)
    const fields = typeof broken === 'boolean' ? (broken ? [rule.field] : []) : broken
    return fields.map(field => ({ object: subject, field, reason: 'Invalid', message: rule.message }))
  })
}

function nodePorts(service: Service): readonly number[] {
  return [service.ports.http.nodePort, service.ports.https.nodePort].filter(port => port !== undefined)
}

function duplicates(field: string, values: readonly string[] = []): readonly string[] {
  return new Set(values).size === values.length ? [] : [field]
}

/** As CEL's isCIDR: an IPv4 or IPv6 address and a prefix length; bits behind the prefix may be set. */
export function isNetwork(text: string): boolean {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text)
  const [address = '', bits = ''] = match?.slice(1) ?? []
  if (isIpv4(address)) return Number(bits) <= 32
  return isIpv6(address) && Number(bits) <= 128
}

function isIpv4(text: string): boolean {
  return /^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text) && text.split('.').every(part => Number(part) <= 255)
}

function isIpv6(text: string): boolean {
  return /^[0-9a-f:]{2,39}$/i.test(text) && text.includes(':') && URL.canParse(`http://[${text}]/`)
}
