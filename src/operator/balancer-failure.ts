import type { KubernetesObject, Service } from '../api/kubernetes.ts'
import type { KubeClient } from '../kube/client.ts'
import { resources } from '../kube/resource.ts'

interface Event extends KubernetesObject {
  readonly message?: string
  readonly lastTimestamp?: string | null
  readonly eventTime?: string | null
}

/** The Service waits for the address of a load balancer. */
export function awaitsBalancer(service: Service | undefined): service is Service {
  return service?.spec?.type === 'LoadBalancer' && (service.status?.loadBalancer?.ingress ?? []).length === 0
}

/**
 * Why the cluster's load-balancer controller gave no address: the text of its newest Event about this very Service.
 * https://github.com/kubernetes/cloud-provider/blob/master/controllers/service/controller.go
 */
export async function readBalancerFailure(client: KubeClient, service: Service): Promise<string | undefined> {
  const { namespace = '', name, uid } = service.metadata
  const selector = {
    'involvedObject.kind': 'Service',
    'involvedObject.name': name,
    reason: 'SyncLoadBalancerFailed',
    ...(uid === undefined ? {} : { 'involvedObject.uid': uid }),
  }
  const fieldSelector = Object.entries(selector)
    .map(([field, value]) => `${field}=${value}`)
    .join(',')
  const { items } = await client.list<Event>(resources.events, { namespace, fieldSelector, limit: 100 })
  const newest = (items ?? []).toSorted((one, other) => happened(other) - happened(one))[0]
  return newest?.message
}

function happened(event: Event): number {
  return Date.parse(event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? '') || 0
}
