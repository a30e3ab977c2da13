import { setTimeout as sleep } from 'node:timers/promises'
import type { Secret } from '../api/kubernetes.ts'
import { createIngressDeploymentValidator } from '../api/schema.ts'
import { createKeyPairCheck } from '../certificates/check-key-pair.ts'
import { Applier } from '../kube/apply.ts'
import type { KubeClient } from '../kube/client.ts'
import { type Clock, systemClock } from '../kube/clock.ts'
import { EventRecorder } from '../kube/event-recorder.ts'
import { LeaderElection } from '../kube/leader-election.ts'
import { RetryAfter } from '../kube/retry.ts'
import { WorkQueue } from '../kube/work-queue.ts'
import type { Log } from '../observe/log.ts'
import type { Change, SourceObject } from '../routing/snapshot.ts'
import { Caches } from './caches.ts'
import { reconcileNamespace } from './grants.ts'
import { IngressReports } from './ingress-reports.ts'
import { IngressWork } from './ingress-work.ts'
import { reconcile } from './reconcile.ts'
import { RoutingSessions } from './routing-sessions.ts'
import { SecretCache } from './secret-cache.ts'
import { wireEvents } from './wire-events.ts'
import type { World } from './world.ts'

export interface OperatorOptions {
  readonly client: KubeClient
  /** Image of the proxies of an IngressDeployment that names none. */
  readonly image: string
  /** Namespace of the leader election's Lease. */
  readonly namespace: string
  /** Unlike that of every other operator process. */
  readonly identity: string
  /** Whose permissions the operator has: it binds the roles for Secrets to it. */
  readonly serviceAccount: { readonly namespace: string; readonly name: string }
  readonly log: Log
  readonly clock?: Clock
  /** Wait for a Lease before acting; without it this process must be the only one. */
  readonly leaderElection: boolean
  /** Aborting it stops the operator, as `stop` does. */
  readonly signal?: AbortSignal
  readonly timings?: Partial<OperatorTimings>
}

interface OperatorTimings {
  /** How soon a failure is looked at again; doubled with every further one, up to a minute. */
  readonly firstRetryMs: number
  /** How often the Events of a Service whose load balancer is awaited are read. */
  readonly balancerPollMs: number
  /** How long problems of Ingresses may be passing, as while a set of objects is being applied, before they are told. */
  readonly reportDelayMs: number
}

interface OperatorCounts {
  readonly instances: number
  readonly ingresses: number
  readonly queueDepth: number
  readonly eventsDropped: number
}

export interface RunningOperator {
  /** All caches are filled; true for a process that waits for the leadership, too. */
  readonly isReady: boolean
  /** It acts. */
  readonly isLeader: boolean
  /** Figures for metrics. */
  counts(): OperatorCounts
  /** Ends everything in good order and gives the leadership back. */
  stop(): Promise<void>
  /** Resolves after `stop`; rejects when the leadership is lost, for then the process should end. */
  readonly stopped: Promise<void>
}

const workers = 8

const defaultTimings: OperatorTimings = { firstRetryMs: 1000, balancerPollMs: 15_000, reportDelayMs: 500 }

/** Events that are still to be written get so much time at the end. */
const eventPatienceMs = 1000

/** Starts to turn IngressDeployments into running instances. It retries whatever fails until it is stopped. */
export function startOperator(options: OperatorOptions): RunningOperator {
  const operator = new Operator(options)
  operator.start()
  return operator
}

class Operator implements RunningOperator {
  readonly #options: OperatorOptions
  readonly #clock: Clock
  readonly #caches: Caches
  readonly #secrets: SecretCache
  readonly #sessions: RoutingSessions
  readonly #events: EventRecorder
  readonly #instances: WorkQueue
  readonly #ingresses: IngressWork
  readonly #election: LeaderElection | undefined
  readonly #world: World
  readonly #ended = Promise.withResolvers<void>()
  readonly #leading = Promise.withResolvers<void>()
  /** Keys that came before the caches were full and the leadership was ours. */
  readonly #early = new Set<string>()
  /** Instances not yet looked at since the start; undefined before that begins. */
  #unseen: Set<string> | undefined
  #acting = false
  #stopping: Promise<void> | undefined

  constructor(options: OperatorOptions) {
    const { client, log, clock = systemClock } = options
    const timings = { ...defaultTimings, ...options.timings }
    const onError = (key: string, error: unknown, retryInMs: number | undefined): void =>
      log.warn({ key, error: String(error), retryInMs }, 'reconciling failed')
    this.#options = options
    this.#clock = clock
    this.#caches = new Caches(client, log)
    this.#events = new EventRecorder({ client, log, instance: options.identity, clock })
    const reports = new IngressReports(event => this.#events.record(event))
    this.#secrets = new SecretCache({ client, log, onChange: (...change) => this.#secretChanged(...change) })
    this.#instances = new WorkQueue({
      concurrency: workers,
      clock,
      onError,
      maxDelayMs: 60_000,
      process: key => this.#process(key),
    })
    this.#ingresses = new IngressWork({
      client,
      clock,
      caches: this.#caches,
      secrets: this.#secrets,
      sessions: () => this.#sessions,
      reports,
      onError,
      reportDelayMs: timings.reportDelayMs,
    })
    this.#sessions = new RoutingSessions({
      everything: () => this.#everything(),
      checkKeyPair: createKeyPairCheck(() => new Date(clock.wallMs())),
      onReferences: key => this.#enqueue(key),
      onIngresses: keys => this.#ingresses.add(keys),
      onFindings: key => this.#ingresses.reportLater(key),
    })
    this.#world = this.#createWorld(timings, reports)
    this.#election = options.leaderElection ? this.#createElection() : undefined
  }

  start(): void {
    this.#ended.promise.catch(() => undefined)
    wireEvents(this.#caches, {
      enqueue: key => this.#enqueue(key),
      enqueueIngress: key => this.#ingresses.add([key]),
      take: change => this.#sessions.take(change),
    })
    this.#options.signal?.addEventListener('abort', () => void this.stop(), { once: true })
    if (this.#election === undefined) this.#leading.resolve()
    this.#run().catch((error: unknown) => this.#fail(error))
  }

  get isReady(): boolean {
    return this.#caches.hasSynced
  }

  get isLeader(): boolean {
    return this.#acting && (this.#election?.isLeader ?? true)
  }

  get stopped(): Promise<void> {
    return this.#ended.promise
  }

  counts(): OperatorCounts {
    return {
      instances: this.#caches.instances.size,
      ingresses: this.#caches.ingresses.size,
      queueDepth: this.#instances.depth + this.#ingresses.depth,
      eventsDropped: this.#events.dropped,
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop().then(() => this.#ended.resolve())
    return this.#stopping
  }

  async #run(): Promise<void> {
    this.#election?.start()
    await this.#caches.start()
    this.#options.log.info({ instances: this.#caches.instances.size }, 'caches filled')
    await this.#leading.promise
    if (this.#stopping !== undefined) return
    this.#acting = true
    this.#unseen = new Set(this.#caches.instances.keys())
    const early = [...this.#early]
    this.#early.clear()
    for (const key of early) this.#instances.add(key)
    if (this.#unseen.size === 0) this.#ingresses.open()
  }

  async #stop(): Promise<void> {
    this.#acting = false
    this.#leading.resolve()
    await Promise.all([this.#instances.shutDown(), this.#ingresses.shutDown()])
    this.#sessions.stop()
    await Promise.race([this.#events.flush(), sleep(eventPatienceMs, undefined, { ref: false })])
    await Promise.all([this.#events.stop(), this.#secrets.stop(), this.#caches.stop()])
    // The lease is given back when nothing is written any more.
    await this.#election?.stop()
  }

  #fail(cause: unknown): void {
    if (this.#stopping !== undefined) return
    const { log } = this.#options
    log.error({ error: String(cause) }, 'operator ends')
    this.#stopping = this.#stop()
      .catch((failure: unknown) => log.error({ error: String(failure) }, 'operator did not end in good order'))
      .finally(() => this.#ended.reject(cause))
  }

  #createElection(): LeaderElection {
    const { client, namespace, identity, log } = this.#options
    return new LeaderElection({
      client,
      namespace,
      identity,
      log,
      clock: this.#clock,
      onAcquired: () => this.#leading.resolve(),
      onLost: () => this.#fail(new Error('the leadership was lost')),
    })
  }

  #createWorld(timings: OperatorTimings, reports: IngressReports): World {
    const { client, image, log, serviceAccount } = this.#options
    return {
      client,
      applier: new Applier({ client }),
      caches: this.#caches,
      secrets: this.#secrets,
      sessions: this.#sessions,
      reports,
      events: this.#events,
      validate: createIngressDeploymentValidator({ unknownFields: 'drop' }),
      log,
      image,
      serviceAccount,
      now: () => new Date(this.#clock.wallMs()),
      firstRetryMs: timings.firstRetryMs,
      balancerPollMs: timings.balancerPollMs,
      secretNamespaces: new Map(),
      awaitedSince: new Map(),
      failures: new Map(),
      publishIngress: key => this.#ingresses.publish(key),
      settled: () => this.#unseen?.size === 0,
    }
  }

  #enqueue(key: string): void {
    if (this.#acting) this.#instances.add(key)
    else this.#early.add(key)
  }

  /** Keys of instances have a slash, those of namespaces have none. */
  async #process(key: string): Promise<{ readonly requeueAfterMs: number } | undefined> {
    // Another may act from now on; whether the lease is lost for good is told a moment later.
    if (!this.isLeader) throw new RetryAfter(1000, 'this process does not lead now')
    if (!key.includes('/')) return reconcileNamespace(key, this.#world)
    return reconcile(key, this.#world).finally(() => {
      if (this.#unseen?.delete(key) === true && this.#unseen.size === 0) this.#ingresses.open()
    })
  }

  #secretChanged(namespace: string, name: string | undefined, secret: Secret | undefined): void {
    for (const owner of this.#caches.instances.byIndex('namespace', namespace)) {
      this.#enqueue(`${namespace}/${owner.metadata.name}`)
    }
    if (name !== undefined) {
      this.#sessions.take({ kind: 'Secret', namespace, name, object: secret })
      return
    }
    for (const [key, namespaces] of this.#world.secretNamespaces) {
      if (namespaces.includes(namespace)) this.#ingresses.reportLater(key)
    }
  }

  *#all(): Generator<SourceObject> {
    yield* this.#caches.ingresses.values()
    yield* this.#caches.services.values()
    yield* this.#secrets.values()
  }

  #everything(): readonly Change[] {
    return [...this.#all()].map(object => {
      const { namespace = '', name } = object.metadata
      return { kind: object.kind, namespace, name, object }
    })
  }
}
