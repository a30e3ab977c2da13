import { apiGroup } from '../api/names.ts'

/** A kind of object and where the API server keeps it. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  /** Lower-case plural, as in the path. */
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
}

const core = { group: '', version: 'v1' }
const apps = { group: 'apps', version: 'v1' }
const networking = { group: 'networking.k8s.io', version: 'v1' }
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' }

/** Every resource that ingress-fleet asks for. */
export const resources = {
  ingressDeployments: {
    group: apiGroup,
    version: 'v1alpha1',
    plural: 'ingressdeployments',
    kind: 'IngressDeployment',
    namespaced: true,
  },
  ingresses: { ...networking, plural: 'ingresses', kind: 'Ingress', namespaced: true },
  ingressClasses: { ...networking, plural: 'ingressclasses', kind: 'IngressClass', namespaced: false },
  services: { ...core, plural: 'services', kind: 'Service', namespaced: true },
  endpointSlices: {
    group: 'discovery.k8s.io',
    version: 'v1',
    plural: 'endpointslices',
    kind: 'EndpointSlice',
    namespaced: true,
  },
  secrets: { ...core, plural: 'secrets', kind: 'Secret', namespaced: true },
  configMaps: { ...core, plural: 'configmaps', kind: 'ConfigMap', namespaced: true },
  namespaces: { ...core, plural: 'namespaces', kind: 'Namespace', namespaced: false },
  serviceAccounts: { ...core, plural: 'serviceaccounts', kind: 'ServiceAccount', namespaced: true },
  roles: { ...rbac, plural: 'roles', kind: 'Role', namespaced: true },
  roleBindings: { ...rbac, plural: 'rolebindings', kind: 'RoleBinding', namespaced: true },
  clusterRoles: { ...rbac, plural: 'clusterroles', kind: 'ClusterRole', namespaced: false },
  clusterRoleBindings: { ...rbac, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding', namespaced: false },
  deployments: { ...apps, plural: 'deployments', kind: 'Deployment', namespaced: true },
  replicaSets: { ...apps, plural: 'replicasets', kind: 'ReplicaSet', namespaced: true },
  pods: { ...core, plural: 'pods', kind: 'Pod', namespaced: true },
  events: { ...core, plural: 'events', kind: 'Event', namespaced: true },
  leases: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true },
  podDisruptionBudgets: {
    group: 'policy',
    version: 'v1',
    plural: 'poddisruptionbudgets',
    kind: 'PodDisruptionBudget',
    namespaced: true,
  },
} as const satisfies Record<string, Resource>

/** One object of a resource, or a subresource of it such as `status`. */
export interface ResourceName {
  /** Absent for cluster-scoped objects. */
  readonly namespace?: string
  readonly name: string
  readonly subresource?: string
}

/** Path of a resource on the API server: of one object when `name` is given, else of the list. */
export function resourcePath(resource: Resource, target: Partial<ResourceName> = {}): string {
  const { namespace, name, subresource } = target
  const prefix = resource.group === '' ? '/api' : `/apis/${resource.group}`
  const scope = resource.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`
  const part = subresource === undefined ? '' : `/${subresource}`
  return `${prefix}/${resource.version}${scope}/${resource.plural}${object}${part}`
}

/** `apiVersion` of the resource's objects, as in `apps/v1`. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`
}

/** Key of an object in stores and queues: `namespace/name`, or `name` when cluster-scoped. */
export function objectKey(object: { readonly namespace?: string; readonly name: string }): string {
  return object.namespace ? `${object.namespace}/${object.name}` : object.name
}
