import type { KubernetesObject } from '../api/kubernetes.ts'
import { leaderLease } from '../api/names.ts'
import type { Log } from '../observe/log.ts'
import { isConflict, isNotFound } from './api-error.ts'
import type { KubeClient } from './client.ts'
import { type Clock, pause, systemClock } from './clock.ts'
import { resources } from './resource.ts'
import type { RequestOptions } from './transport.ts'

/** coordination.k8s.io/v1; times are RFC 3339 with microseconds. */
export interface Lease extends KubernetesObject {
  readonly spec?: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly leaseTransitions?: number
  }
}

export interface LeaderElectionOptions {
  readonly client: KubeClient
  readonly namespace: string
  readonly leaseName?: string
  /** Unlike that of every other candidate; a pod's name with something random after it. */
  readonly identity: string
  readonly log: Log
  readonly onAcquired: () => void
  /** Another may lead from now on: stop acting. Not called by `stop`. */
  readonly onLost: () => void
  /** How long others wait after the last renewal before they take over. */
  readonly leaseDurationMs?: number
  /** How long we try to renew before we stop leading; must be shorter than the lease. */
  readonly renewDeadlineMs?: number
  readonly retryPeriodMs?: number
  readonly clock?: Clock
  readonly random?: () => number
}

/** What was last seen of the lease, and when by our own clock: clocks of other machines are never compared with ours. */
interface Observed {
  readonly lease: Lease
  readonly atMs: number
}

/**
 * One of several candidates leads, by holding a Lease. Ported from client-go's tools/leaderelection.
 *
 * `isLeader` turns false by itself at the renew deadline, before others may take over, even while a request hangs.
 */
export class LeaderElection {
  readonly #options: Required<LeaderElectionOptions>
  readonly #stopped = new AbortController()
  #running: Promise<void> | undefined
  #observed: Observed | undefined
  /** When the request that last renewed the lease was about to be sent; undefined when another leads. */
  #renewedAtMs: number | undefined

  constructor(options: LeaderElectionOptions) {
    this.#options = {
      leaseName: leaderLease,
      leaseDurationMs: 15_000,
      renewDeadlineMs: 10_000,
      retryPeriodMs: 2000,
      clock: systemClock,
      random: Math.random,
      ...options,
    }
    const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = this.#options
    if (leaseDurationMs <= renewDeadlineMs || renewDeadlineMs <= retryPeriodMs) {
      throw new Error('leader election: lease duration, renew deadline and retry period must each exceed the next')
    }
  }

  get isLeader(): boolean {
    const { clock, renewDeadlineMs } = this.#options
    return this.#renewedAtMs !== undefined && clock.monotonicMs() < this.#renewedAtMs + renewDeadlineMs
  }

  /** Identity of whoever held the lease when it was last looked at. */
  get leader(): string | undefined {
    return this.#observed?.lease.spec?.holderIdentity
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Stops leading or waiting; gives the lease back, so that the next leader need not wait, unless `release` is false. */
  async stop(release = true): Promise<void> {
    const led = this.isLeader
    this.#renewedAtMs = undefined
    this.#stopped.abort(new Error('leader election: stopped'))
    await this.#running
    if (led && release) await this.#release()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      await this.#acquire()
      if (signal.aborted) return
      this.#options.log.info({ identity: this.#options.identity }, 'leadership acquired')
      this.#options.onAcquired()
      await this.#renew()
      if (signal.aborted) return
      this.#options.log.warn({ identity: this.#options.identity, leader: this.leader }, 'leadership lost')
      this.#options.onLost()
    }
  }

  async #acquire(): Promise<void> {
    const { clock, retryPeriodMs, random, log } = this.#options
    const { signal } = this.#stopped
    while (!signal.aborted) {
      try {
        if (await this.#tryToHold()) return
      } catch (error) {
        if (!signal.aborted) log.debug({ error: String(error) }, 'lease not acquired')
      }
      // Candidates that started together must not ask together.
      await pause(clock, retryPeriodMs * (1 + random() * 0.2), signal)
    }
  }

  /** Resolves when the lease is lost: taken by another, or not renewed by the deadline. */
  async #renew(): Promise<void> {
    const { clock, retryPeriodMs, renewDeadlineMs, log } = this.#options
    const { signal } = this.#stopped
    while (this.isLeader && !signal.aborted) {
      const leftMs = (this.#renewedAtMs ?? 0) + renewDeadlineMs - clock.monotonicMs()
      await pause(clock, Math.min(retryPeriodMs, leftMs), signal)
      try {
        if (this.isLeader && !(await this.#tryToHold())) break
      } catch (error) {
        if (!signal.aborted) log.warn({ error: String(error) }, 'lease not renewed')
      }
    }
    this.#renewedAtMs = undefined
  }

  /** Creates, takes or renews the lease; false when another holds it. */
  async #tryToHold(): Promise<boolean> {
    const { clock, client, namespace, leaseName: name } = this.#options
    const startedMs = clock.monotonicMs()
    // While we hold it nobody else writes it: no need to read it first.
    let lease = this.isLeader ? this.#observed?.lease : undefined
    if (!lease) {
      lease = await this.#read()
      if (lease && !this.#mayTake(lease)) return false
    }
    const spec = this.#nextSpec(lease?.spec)
    try {
      const held = lease
        ? await client.replace<Lease>(resources.leases, { ...lease, spec }, this.#once())
        : await client.create<Lease>(resources.leases, { ...newLease(namespace, name), spec }, this.#once())
      if (this.#stopped.signal.aborted) return false
      this.#observe(held)
      this.#renewedAtMs = startedMs
      return true
    } catch (error) {
      if (!isConflict(error)) throw error
      const current = await this.#read()
      // The answer to a renewal may have been lost on the way: then it conflicts with itself, and is tried again.
      return current?.spec?.holderIdentity === this.#options.identity && this.isLeader
    }
  }

  #mayTake(lease: Lease): boolean {
    const { identity, clock, leaseDurationMs } = this.#options
    const holder = lease.spec?.holderIdentity ?? ''
    if (holder === '' || holder === identity) return true
    const durationMs = (lease.spec?.leaseDurationSeconds ?? leaseDurationMs / 1000) * 1000
    return this.#observed !== undefined && clock.monotonicMs() >= this.#observed.atMs + durationMs
  }

  async #read(options: RequestOptions = this.#once()): Promise<Lease | undefined> {
    const { client, namespace, leaseName: name } = this.#options
    try {
      const lease = await client.get<Lease>(resources.leases, { namespace, name }, options)
      this.#observe(lease)
      return lease
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  /** The holder is alive as long as we see the lease change; its clock does not matter. */
  #observe(lease: Lease): void {
    if (lease.metadata.resourceVersion === this.#observed?.lease.metadata.resourceVersion) return
    this.#observed = { lease, atMs: this.#options.clock.monotonicMs() }
  }

  #nextSpec(current: Lease['spec']): NonNullable<Lease['spec']> {
    const { identity, leaseDurationMs, clock } = this.#options
    const now = microTime(clock.wallMs())
    const ours = current?.holderIdentity === identity
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
      acquireTime: (ours ? current.acquireTime : undefined) ?? now,
      renewTime: now,
      leaseTransitions: (current?.leaseTransitions ?? 0) + (ours || !current ? 0 : 1),
    }
  }

  async #release(): Promise<void> {
    const { client, clock, log, identity, retryPeriodMs } = this.#options
    const options = { attempts: 1, timeoutMs: retryPeriodMs }
    try {
      // A renewal that was broken off by the stop may have been carried out: what we know of the lease may be old.
      const lease = await this.#read(options)
      if (lease?.spec?.holderIdentity !== identity) return
      const now = microTime(clock.wallMs())
      const { leaseTransitions = 0 } = lease.spec
      const spec = { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now, leaseTransitions }
      await client.replace<Lease>(resources.leases, { ...lease, spec }, options)
      log.info({ identity }, 'leadership released')
    } catch (error) {
      log.warn({ error: String(error) }, 'leadership not released, others wait for the lease to end')
    }
  }

  /** One try within half the deadline: the loops around repeat it, and a slow server leaves time for one more. */
  #once(): RequestOptions {
    return { attempts: 1, timeoutMs: this.#options.renewDeadlineMs / 2, signal: this.#stopped.signal }
  }
}

function newLease(namespace: string, name: string): Lease {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name } }
}

function microTime(wallMs: number): string {
  return new Date(wallMs).toISOString().replace('Z', '000Z')
}
