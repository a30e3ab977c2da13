import type { IngressDeploymentValidator } from '../api/schema.ts'
import type { Applier } from '../kube/apply.ts'
import type { KubeClient } from '../kube/client.ts'
import type { EventRecorder } from '../kube/event-recorder.ts'
import type { Log } from '../observe/log.ts'
import type { Caches } from './caches.ts'
import type { IngressReports } from './ingress-reports.ts'
import type { RoutingSessions } from './routing-sessions.ts'
import type { SecretCache } from './secret-cache.ts'

/** What reconciling works with. */
export interface World {
  readonly client: KubeClient
  readonly applier: Applier
  readonly caches: Caches
  readonly secrets: SecretCache
  readonly sessions: RoutingSessions
  readonly reports: IngressReports
  readonly events: Pick<EventRecorder, 'record'>
  readonly validate: IngressDeploymentValidator
  readonly log: Log
  /** Image of the proxies of an instance that names none. */
  readonly image: string
  readonly serviceAccount: { readonly namespace: string; readonly name: string }
  readonly now: () => Date
  /** How soon a failure is looked at again: doubled with every further one, up to a minute. */
  readonly firstRetryMs: number
  /** How often the Events of a Service whose load balancer is awaited are read. */
  readonly balancerPollMs: number
  /** Namespaces where an instance's Ingresses refer to Secrets, as last decided. */
  readonly secretNamespaces: Map<string, readonly string[]>
  /** Since when the first list of a namespace's Secrets is awaited, in milliseconds since 1970. */
  readonly awaitedSince: Map<string, number>
  /** Failed attempts in a row, by instance. */
  readonly failures: Map<string, number>
  /** Writes or clears the status of an Ingress, by `namespace/name`. */
  readonly publishIngress: (ingressKey: string) => Promise<void>
  /** Every instance was looked at once since the start: what none of them serves is served by none. */
  readonly settled: () => boolean
}
