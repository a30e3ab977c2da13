import { childName } from '../../api/names.ts'
import { childMetadata, type ManagedObject } from './managed-object.ts'

/** A proxy's own ConfigMap and default certificate, by name. No write verb. */
export const role: ManagedObject = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'Role',
  namespaced: true,
  desired: plan => {
    const name = childName(plan.instance)
    const verbs = ['get', 'list', 'watch']
    const { secretName } = plan.defaultCertificate
    return [
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: childMetadata(plan, name),
        rules: [
          { apiGroups: [''], resources: ['configmaps'], resourceNames: [name], verbs },
          { apiGroups: [''], resources: ['secrets'], resourceNames: [secretName], verbs },
        ],
      },
    ]
  },
}
