import type { KubernetesObject } from '../api/kubernetes.ts'
import { container, selectorLabels } from '../api/names.ts'
import type { KubeClient } from '../kube/client.ts'
import { resources } from '../kube/resource.ts'

interface Pod extends KubernetesObject {
  readonly status?: {
    readonly phase?: string
    readonly containerStatuses?: readonly { readonly name: string; readonly ready?: boolean }[]
  }
}

/** A pod of an instance, and whether its proxy serves. */
export interface ProxyPod {
  readonly name: string
  readonly ready: boolean
}

/** The pods of an IngressDeployment by name, those included that are about to end. */
export async function findProxyPods(
  client: KubeClient,
  instance: { readonly namespace: string; readonly name: string },
): Promise<readonly ProxyPod[]> {
  const labelSelector = Object.entries(selectorLabels(instance))
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
  const { items } = await client.list<Pod>(resources.pods, { namespace: instance.namespace, labelSelector })
  return (items ?? [])
    .map(({ metadata, status }) => ({
      name: metadata.name,
      ready:
        metadata.deletionTimestamp === undefined &&
        status?.containerStatuses?.some(one => one.name === container && one.ready === true) === true,
    }))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
}
