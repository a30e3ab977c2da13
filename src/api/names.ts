/** Every name and label of an object that ingress-fleet makes or looks for. Nothing else spells one out. */

export const apiGroup = 'ingressfleet.dev'
export const apiVersion = 'ingressfleet.dev/v1alpha1'
export const fieldManager = 'ingress-fleet'
export const defaultController = 'ingressfleet.dev/ingress-controller'
export const finalizer = 'ingressfleet.dev/cleanup'
export const leaderLease = 'ingress-fleet-operator'
export const defaultClassAnnotation = 'ingressclass.kubernetes.io/is-default-class'
export const legacyClassAnnotation = 'kubernetes.io/ingress.class'
export const defaultAnnotationsPrefix = 'nginx.ingress.kubernetes.io'

/** Fixed ClusterRoles of config/rbac that the operator may bind and nothing more; it never writes one. */
export const clusterRoles = {
  /** Read Ingresses, Services and EndpointSlices. Bound for proxies, cluster-wide or per namespace of the scope. */
  proxyReader: 'ingress-fleet-proxy',
  /** Read Secrets. Bound for proxies (and the operator, which judges them) per namespace with a TLS reference. */
  secretReader: 'ingress-fleet-secret-reader',
  /** Read and write Secrets. Bound for the operator per namespace with an IngressDeployment. */
  secretManager: 'ingress-fleet-secret-manager',
} as const

export const labels = {
  name: 'app.kubernetes.io/name',
  instance: 'app.kubernetes.io/instance',
  component: 'app.kubernetes.io/component',
  managedBy: 'app.kubernetes.io/managed-by',
  version: 'app.kubernetes.io/version',
  /** Name of the IngressDeployment that an object belongs to. */
  owner: 'ingressfleet.dev/ingressdeployment',
  /** Its namespace. */
  ownerNamespace: 'ingressfleet.dev/ingressdeployment-namespace',
} as const

/** Of nodes, and of pods where the cluster copies it. */
export const zoneLabel = 'topology.kubernetes.io/zone'

export const container = 'controller'

/** Ports inside the pod. */
export const podPorts = { http: 8080, https: 8443, metrics: 10254 } as const

/** Unix socket of the pod's own admin interface, which `/dbg` asks. */
export const adminSocket = '/run/ingress-fleet/admin.sock'

/** Key of the instance's ConfigMap that holds an `InstanceConfiguration` as JSON. */
export const instanceConfigurationKey = 'instance.json'

export interface InstanceName {
  readonly namespace: string
  readonly name: string
}

/** Name of the Deployment, Service, ServiceAccount, Role, RoleBinding and ConfigMap of an instance. */
export function childName(instance: InstanceName): string {
  return `ingress-${instance.name}`
}

/** Secret with the keys of TLS session tickets, which all replicas share. */
export function sessionTicketSecretName(instance: InstanceName): string {
  return `ingress-${instance.name}-session-tickets`
}

/** Keys of that Secret: 48 random octets, and when they were made (RFC 3339). */
export const sessionTicketKeys = { key: 'ticket.key', issuedAt: 'issued-at' } as const

/** Where a proxy's pod has it. */
export const sessionTicketDirectory = '/etc/ingress-fleet/session-tickets'

/** Secret with the generated default certificate. */
export function generatedCertificateName(instance: InstanceName): string {
  return `ingress-${instance.name}-default-tls`
}

/** Name of the ClusterRoleBinding, and of RoleBindings in namespaces of the scope. RBAC names may hold colons. */
export function readerBindingName(instance: InstanceName): string {
  return `ingress-fleet:${instance.namespace}:${instance.name}`
}

/** Name of the RoleBindings that let this instance's proxies read a namespace's Secrets. */
export function secretReaderBindingName(instance: InstanceName): string {
  return `ingress-fleet:${instance.namespace}:${instance.name}:secrets`
}

/** Name of the RoleBinding that lets the operator manage Secrets in a namespace with an IngressDeployment. */
export const secretManagerBindingName = 'ingress-fleet:operator'

/** Labels that select the pods: they never change during an instance's life. */
export function selectorLabels(instance: InstanceName): Record<string, string> {
  return {
    [labels.name]: 'ingress-fleet',
    [labels.component]: 'proxy',
    [labels.owner]: instance.name,
  }
}

/** Labels of every object that belongs to an instance. */
export function childLabels(instance: InstanceName): Record<string, string> {
  return {
    ...selectorLabels(instance),
    [labels.instance]: instance.name,
    [labels.managedBy]: fieldManager,
    [labels.ownerNamespace]: instance.namespace,
  }
}
