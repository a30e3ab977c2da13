import { childName, selectorLabels } from '../../api/names.ts'
import type { Plan } from '../plan.ts'
import { childMetadata, type ManagedObject, meant } from './managed-object.ts'

/** Where clients reach the proxies. Node ports that the API server allocated are its own and never written. */
export const service: ManagedObject = {
  apiVersion: 'v1',
  kind: 'Service',
  namespaced: true,
  desired: plan => {
    const { annotations, labels } = plan.service
    const metadata = childMetadata(plan, childName(plan.instance))
    return [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: meant({ ...metadata, labels: { ...labels, ...metadata.labels }, annotations }),
        spec: serviceSpec(plan),
      },
    ]
  },
}

function serviceSpec(plan: Plan): object {
  const { type, ports, externalTrafficPolicy, ipFamilyPolicy, loadBalancerClass, loadBalancerSourceRanges } =
    plan.service
  return meant({
    type,
    selector: selectorLabels(plan.instance),
    ports: [port('http', ports.http), port('https', ports.https)],
    // Said even when it is the default, so that a change by hand is repaired; not allowed for a ClusterIP.
    externalTrafficPolicy: type === 'ClusterIP' ? undefined : (externalTrafficPolicy ?? 'Cluster'),
    ipFamilyPolicy,
    loadBalancerClass: type === 'LoadBalancer' ? loadBalancerClass : undefined,
    loadBalancerSourceRanges: type === 'LoadBalancer' ? loadBalancerSourceRanges : undefined,
  })
}

function port(name: string, wanted: { readonly port: number; readonly nodePort?: number }): object {
  return meant({ name, port: wanted.port, targetPort: name, protocol: 'TCP', nodePort: wanted.nodePort })
}
