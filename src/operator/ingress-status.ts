import { isDeepStrictEqual } from 'node:util'
import type { LoadBalancerIngress } from '../api/kubernetes.ts'
import { fieldManager } from '../api/names.ts'
import { isNotFound } from '../kube/api-error.ts'
import type { KubeClient } from '../kube/client.ts'
import { resources } from '../kube/resource.ts'
import type { WatchedIngress } from './caches.ts'
import type { RoutingSession } from './routing-sessions.ts'
import type { Address } from './status.ts'

/** What an Ingress' status should say: undefined leaves it as it is. */
export function desiredIngressStatus(
  ingress: WatchedIngress,
  claimant: RoutingSession | undefined,
): readonly LoadBalancerIngress[] | undefined {
  const live = (ingress.status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => entry(ip, hostname))
  const wanted = wantedEntries(ingress, claimant)
  return wanted === undefined || isDeepStrictEqual(live, wanted) ? undefined : wanted
}

/** Writes, or with an empty list takes away, the addresses in an Ingress' status; content when the Ingress is gone. */
export async function writeIngressStatus(
  client: KubeClient,
  { metadata: { namespace = '', name, uid } }: WatchedIngress,
  entries: readonly LoadBalancerIngress[],
): Promise<void> {
  const body = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { namespace, name, ...(uid === undefined ? {} : { uid }) },
    // Applying nothing takes away what we applied before, and only that.
    ...(entries.length === 0 ? {} : { status: { loadBalancer: { ingress: entries } } }),
  }
  const target = { namespace, name, subresource: 'status' }
  try {
    await client.patch(resources.ingresses, target, { type: 'apply', fieldManager, force: true, body })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

function wantedEntries(
  ingress: WatchedIngress,
  claimant: RoutingSession | undefined,
): readonly LoadBalancerIngress[] | undefined {
  // What others wrote is theirs, until we serve the Ingress.
  if (claimant === undefined) return ingress.statusWritten ? [] : undefined
  if (claimant.paused || claimant.addresses === undefined) return undefined
  if (claimant.addresses.length === 0) return ingress.statusWritten ? [] : undefined
  return claimant.addresses.map(toEntry)
}

function toEntry({ type, value }: Address): LoadBalancerIngress {
  return type === 'IPAddress' ? entry(value, undefined) : entry(undefined, value)
}

function entry(ip: string | undefined, hostname: string | undefined): LoadBalancerIngress {
  return { ...(ip ? { ip } : {}), ...(hostname ? { hostname } : {}) }
}
