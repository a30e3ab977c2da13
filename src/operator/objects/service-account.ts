import { childName } from '../../api/names.ts'
import { childMetadata, type ManagedObject } from './managed-object.ts'

/** One identity per instance, so that each may read only what it serves. */
export const serviceAccount: ManagedObject = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  namespaced: true,
  desired: plan => [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: childMetadata(plan, childName(plan.instance)) },
  ],
}
