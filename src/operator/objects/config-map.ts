import { childName, instanceConfigurationKey } from '../../api/names.ts'
import { childMetadata, type ManagedObject } from './managed-object.ts'

/** What the API server takes as a key of a ConfigMap. */
const keyPattern = /^[-._a-zA-Z0-9]{1,253}$/

/** What the proxies read and apply without a restart, and beside it the ingress-nginx keys as the user gave them. */
export const configMap: ManagedObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespaced: true,
  desired: plan => {
    const given = Object.entries(plan.ingressNginx).filter(([key]) => keyPattern.test(key))
    return [
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: childMetadata(plan, childName(plan.instance)),
        data: {
          ...Object.fromEntries(given),
          [instanceConfigurationKey]: `${JSON.stringify(plan.configuration, null, 2)}\n`,
        },
      },
    ]
  },
}
