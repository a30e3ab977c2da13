import { setTimeout as pause } from 'node:timers/promises'
import { Churn } from './churn.ts'
import { type Failure, LoadClient, type LoadClientOptions, usualMix } from './load-client.ts'
import type { ServeInstance } from './serve-instance.ts'
import { Stage } from './stage.ts'

export interface ZeroLossPlan {
  readonly program: string
  readonly requests: number
  readonly ratePerSecond: number
  readonly endpointChanges: number
  readonly routeChanges: number
  readonly certificateSwaps: number
  readonly workerKills: number
  readonly restarts: number
  readonly mix?: LoadClientOptions['mix']
  readonly onProgress?: (text: string) => void
}

/** A worker that was killed, and what that cost, as the proxy counts it and as the client sees it. */
export interface WorkerLoss {
  readonly countedByProxy: number
  /** Requests that failed on a connection which the worker had accepted. */
  readonly failed: readonly Failure[]
  /** Those of them that had reached a pod. */
  readonly reachedPod: number
  /** Tunnels on its connections that had just been ended in order: the worker may not have known yet. */
  readonly endedTunnels: number
  /** Requests on new connections that no worker had accepted yet: they waited for the one that was killed. */
  readonly unaccepted: readonly Failure[]
}

export interface ZeroLossReport {
  readonly sent: number
  readonly elapsedMs: number
  readonly answered: Readonly<Record<string, number>>
  /** What may not be: none of a worker that was killed. */
  readonly failures: readonly Failure[]
  /** Requests that change something and did not reach exactly one pod exactly once, though they were answered. */
  readonly notOnce: readonly number[]
  readonly losses: readonly WorkerLoss[]
  readonly exitCodes: readonly (number | string)[]
  readonly cutConnections: number
  readonly changes: { readonly endpoints: number; readonly routes: number; readonly certificates: number }
  /** Warnings and errors in the logs that are not about a worker that was killed. */
  readonly complaints: readonly unknown[]
  readonly connections: { readonly opened: number; readonly handshakes: number; readonly resumed: number }
  readonly latencies: string
}

/** How long after SIGTERM an instance still gets new connections: until then not every node has heard of it. */
const propagationMs = 300

/** The client may hear of a closed connection later than of the worker's successor. */
const noticeMs = 500

/** All kinds of change at once under steady requests to two instances. */
export async function runZeroLoss(plan: ZeroLossPlan): Promise<ZeroLossReport> {
  await using stage = await new Stage({ instances: 2, program: plan.program, workers: 2 }).set()
  return await new ZeroLossRun(plan, stage).run()
}

interface Kill {
  readonly instance: string
  readonly atMs: number
  readonly endMs: number
  readonly connections: ReadonlySet<number>
  readonly countedByProxy: number
}

class ZeroLossRun {
  readonly #plan: ZeroLossPlan
  readonly #stage: Stage
  readonly #client: LoadClient
  readonly #churn: Churn
  readonly #startedMs = performance.now()
  readonly #kills: Kill[] = []
  readonly #exitCodes: (number | string)[] = []

  constructor(plan: ZeroLossPlan, stage: Stage) {
    this.#plan = plan
    this.#stage = stage
    const { ratePerSecond, mix = usualMix } = plan
    this.#client = new LoadClient({ ratePerSecond, mix, secureShare: 0.35, freshShare: 0.15 })
    this.#churn = new Churn(stage, this.#client)
  }

  async run(): Promise<ZeroLossReport> {
    const client = this.#client
    const { endpointChanges, routeChanges, certificateSwaps, workerKills, restarts, requests } = this.#plan
    client.targets = this.#stage.targets
    client.connections.members = this.#stage.members
    client.connections.certificateNames = [this.#stage.writeCertificate(0)]
    client.start()
    const progress = setInterval(() => this.#tell(), 10_000)
    try {
      await Promise.all([
        this.#pace(endpointChanges, () => this.#churn.changeEndpoint()),
        this.#pace(routeChanges, () => this.#churn.changeRoute()),
        this.#pace(certificateSwaps, () => this.#churn.swapCertificate()),
        this.#pace(workerKills + restarts, step => this.#disturb(step)),
        client.untilSent(requests),
      ])
      await this.#churn.settled()
      await client.stop()
    } finally {
      clearInterval(progress)
    }
    return this.#report(await this.#stage.pods.sightings())
  }

  /** Spreads the steps over the requests of the run. */
  async #pace(count: number, take: (step: number) => Promise<void>): Promise<void> {
    for (let step = 0; step < count; step++) {
      await this.#client.untilSent(((step + 0.5) * this.#plan.requests) / count)
      await take(step)
    }
  }

  /** In turn, as long as there are both: a worker is killed, an instance restarts. */
  async #disturb(step: number): Promise<void> {
    const { workerKills, restarts } = this.#plan
    const pairs = Math.min(workerKills, restarts)
    const isKill = step < 2 * pairs ? step % 2 === 0 : workerKills > restarts
    const instance = this.#stage.instances[Math.floor(step / 2) % this.#stage.instances.length]
    if (instance === undefined) return
    if (isKill) await this.#kill(instance, this.#kills.length % 2)
    else await this.#restart(instance)
  }

  async #kill(instance: ServeInstance, worker: number): Promise<void> {
    const before = await instance.metrics()
    const lost = before.get('workers_lost_total') ?? 0
    const atMs = performance.now()
    const connections = await instance.killWorker(worker)
    await instance.untilMetrics(
      metric => metric('workers_lost_total') === lost + 1 && metric('workers_serving') === metric('workers'),
    )
    const after = await instance.metrics()
    const countedByProxy = (after.get('requests_lost_total') ?? 0) - (before.get('requests_lost_total') ?? 0)
    this.#kills.push({ instance: instance.name, atMs, endMs: performance.now(), connections, countedByProxy })
  }

  async #restart(instance: ServeInstance): Promise<void> {
    const exited = instance.drain()
    await pause(propagationMs)
    const { connections } = this.#client
    connections.members = connections.members.filter(({ name }) => name !== instance.name)
    this.#exitCodes.push(await exited)
    await instance.start()
    connections.members = this.#stage.members
  }

  #report(sightings: Uint8Array): ZeroLossReport {
    const { failures, sent, answered, answeredPosts, connections, latencies } = this.#client
    const losses = this.#kills.map(kill => lossOf(kill, this.#client, sightings))
    const excused = new Set(losses.flatMap(loss => [...loss.failed, ...loss.unaccepted]))
    const failedPosts = failures.filter(({ kind }) => kind.startsWith('post')).map(({ id }) => id)
    return {
      sent,
      elapsedMs: performance.now() - this.#startedMs,
      answered,
      failures: failures.filter(failure => !excused.has(failure)),
      notOnce: [
        ...answeredPosts.filter(id => sightings[id] !== 1),
        ...failedPosts.filter(id => (sightings[id] ?? 0) > 1),
      ],
      losses,
      exitCodes: this.#exitCodes,
      cutConnections: this.#stage.instances.reduce((sum, { cutConnections }) => sum + cutConnections, 0),
      changes: {
        endpoints: this.#churn.endpointChanges,
        routes: this.#churn.routeChanges,
        certificates: this.#churn.certificateSwaps,
      },
      complaints: this.#stage.instances
        .flatMap(({ complaints }) => complaints)
        .filter(({ msg, error }) => msg !== 'data worker lost' || !String(error).includes('killed by a test')),
      connections: { opened: connections.opened, handshakes: connections.handshakes, resumed: connections.resumed },
      latencies: String(latencies),
    }
  }

  #tell(): void {
    const { sent, inFlight, failures } = this.#client
    const { endpointChanges, routeChanges, certificateSwaps } = this.#churn
    this.#plan.onProgress?.(
      `${sent} requests, ${inFlight} under way, ${failures.length} failed; ` +
        `${endpointChanges} endpoint, ${routeChanges} route changes, ${certificateSwaps} certificates, ` +
        `${this.#kills.length} workers killed, ${this.#exitCodes.length} restarts`,
    )
  }
}

function lossOf(kill: Kill, client: LoadClient, sightings: Uint8Array): WorkerLoss {
  const then = client.failures.filter(
    ({ instance, atMs }) =>
      instance === kill.instance && atMs >= Math.floor(kill.atMs) && atMs <= kill.endMs + noticeMs,
  )
  const failed = then.filter(({ connectionKey }) => kill.connections.has(connectionKey))
  const isUnaccepted = ({ requests }: Failure): boolean => requests <= 1
  return {
    countedByProxy: kill.countedByProxy,
    failed,
    reachedPod: failed.filter(({ id }) => (sightings[id] ?? 0) > 0).length,
    endedTunnels: client.endedTunnels.filter(
      ({ connectionKey, atMs }) =>
        kill.connections.has(connectionKey) && atMs > kill.atMs - noticeMs && atMs < kill.endMs,
    ).length,
    unaccepted: then.filter(failure => !kill.connections.has(failure.connectionKey) && isUnaccepted(failure)),
  }
}
