import { childName, clusterRoles, readerBindingName, secretReaderBindingName } from '../../api/names.ts'
import type { Plan } from '../plan.ts'
import { childMetadata, type DesiredObject, distantMetadata, type ManagedObject } from './managed-object.ts'

const apiVersion = 'rbac.authorization.k8s.io/v1'
const apiGroup = 'rbac.authorization.k8s.io'

/** The proxy's own Role; reading in each namespace of a confined scope; reading Secrets where one is referred to. */
export const roleBinding: ManagedObject = {
  apiVersion,
  kind: 'RoleBinding',
  namespaced: true,
  desired: plan => [
    ownRole(plan),
    ...(plan.readNamespaces ?? []).map(namespace => reader(plan, namespace)),
    ...plan.secretNamespaces.map(namespace => secretReader(plan, namespace)),
  ],
  mustReplace: differentRole,
}

/** Reading Ingresses, Services and EndpointSlices everywhere, for an instance whose scope is the whole cluster. */
export const clusterRoleBinding: ManagedObject = {
  apiVersion,
  kind: 'ClusterRoleBinding',
  namespaced: false,
  desired: plan =>
    plan.readNamespaces !== null
      ? []
      : [
          {
            apiVersion,
            kind: 'ClusterRoleBinding',
            metadata: distantMetadata(plan, readerBindingName(plan.instance)),
            roleRef: { apiGroup, kind: 'ClusterRole', name: clusterRoles.proxyReader },
            subjects: [proxySubject(plan)],
          },
        ],
  mustReplace: differentRole,
}

function ownRole(plan: Plan): DesiredObject {
  const name = childName(plan.instance)
  return {
    apiVersion,
    kind: 'RoleBinding',
    metadata: childMetadata(plan, name),
    roleRef: { apiGroup, kind: 'Role', name },
    subjects: [proxySubject(plan)],
  }
}

function reader(plan: Plan, namespace: string): DesiredObject {
  return {
    apiVersion,
    kind: 'RoleBinding',
    metadata: distantMetadata(plan, readerBindingName(plan.instance), namespace),
    roleRef: { apiGroup, kind: 'ClusterRole', name: clusterRoles.proxyReader },
    subjects: [proxySubject(plan)],
  }
}

/** The operator is a subject too: it judges the Secrets, and may not read them otherwise. */
function secretReader(plan: Plan, namespace: string): DesiredObject {
  return {
    apiVersion,
    kind: 'RoleBinding',
    metadata: distantMetadata(plan, secretReaderBindingName(plan.instance), namespace),
    roleRef: { apiGroup, kind: 'ClusterRole', name: clusterRoles.secretReader },
    subjects: [proxySubject(plan), { kind: 'ServiceAccount', ...plan.operatorServiceAccount }],
  }
}

function proxySubject(plan: Plan): { kind: string; namespace: string; name: string } {
  return { kind: 'ServiceAccount', namespace: plan.instance.namespace, name: childName(plan.instance) }
}

/** A binding's role can't be changed. */
function differentRole(live: DesiredObject, desired: DesiredObject): boolean {
  const before = live['roleRef'] as { kind?: string; name?: string } | undefined
  const wanted = desired['roleRef'] as { kind?: string; name?: string }
  return before?.kind !== wanted.kind || before?.name !== wanted.name
}
