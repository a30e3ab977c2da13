import type { KubeClient } from '../kube/client.ts'
import type { Clock } from '../kube/clock.ts'
import { WorkQueue, type WorkQueueOptions } from '../kube/work-queue.ts'
import type { Caches } from './caches.ts'
import type { IngressReports } from './ingress-reports.ts'
import { desiredIngressStatus, writeIngressStatus } from './ingress-status.ts'
import type { RoutingSessions } from './routing-sessions.ts'
import type { SecretCache } from './secret-cache.ts'

export interface IngressWorkOptions {
  readonly client: KubeClient
  readonly clock: Clock
  readonly caches: Caches
  readonly secrets: Pick<SecretCache, 'hasSynced'>
  readonly sessions: () => RoutingSessions
  readonly reports: IngressReports
  readonly onError: NonNullable<WorkQueueOptions['onError']>
  /** How long problems may be passing, as while a set of objects is being applied, before they are told. */
  readonly reportDelayMs: number
}

const workers = 8

/** Before the key of an instance whose Ingresses are to be told of; no namespace begins so. */
const reportPrefix = 'report:'

/** What is written about Ingresses: the addresses in their status, and Events. */
export class IngressWork {
  readonly #options: IngressWorkOptions
  readonly #queue: WorkQueue
  #open = false

  constructor(options: IngressWorkOptions) {
    this.#options = options
    this.#queue = new WorkQueue({
      concurrency: workers,
      clock: options.clock,
      onError: options.onError,
      maxDelayMs: 60_000,
      process: key => this.#process(key),
    })
  }

  get depth(): number {
    return this.#queue.depth
  }

  /**
   * From now on statuses are written, beginning with a look at all. Before every instance was looked at nobody knows
   * which Ingress is served by none.
   */
  open(): void {
    this.#open = true
    this.add(this.#options.caches.ingresses.keys())
  }

  /** Ingresses whose status is to be looked at, by `namespace/name`. */
  add(keys: Iterable<string>): void {
    if (this.#open) for (const key of keys) this.#queue.add(key)
  }

  /** Tells of an instance's Ingresses, a little later. */
  reportLater(instanceKey: string): void {
    this.#queue.addAfter(`${reportPrefix}${instanceKey}`, this.#options.reportDelayMs)
  }

  /** Writes or clears the status of one Ingress, if that is needed. */
  async publish(key: string): Promise<void> {
    const { caches, client } = this.#options
    const ingress = caches.ingresses.get(key)
    if (ingress === undefined) return
    const sessions = this.#options.sessions()
    sessions.flush()
    const entries = desiredIngressStatus(ingress, sessions.claimant(ingress))
    if (entries !== undefined) await writeIngressStatus(client, ingress, entries)
  }

  shutDown(): Promise<void> {
    return this.#queue.shutDown()
  }

  async #process(key: string): Promise<undefined> {
    if (key.startsWith(reportPrefix)) this.#report(key.slice(reportPrefix.length))
    else await this.publish(key)
    return undefined
  }

  #report(key: string): void {
    const { caches, secrets, reports } = this.#options
    const sessions = this.#options.sessions()
    const session = sessions.get(key)
    if (session === undefined || session.paused) return
    sessions.flush()
    const served = sessions.served(key).flatMap(name => caches.ingresses.get(name) ?? [])
    // A Secret that can't be read yet only looks as if it were missing; its arrival is told of again.
    const problems = sessions
      .problems(key)
      .filter(({ reason, object }) => reason !== 'SecretNotFound' || secrets.hasSynced(object.namespace))
    reports.report(key, { served, problems })
  }
}
