import { setTimeout as pause } from 'node:timers/promises'
import { Churn } from './churn.ts'
import { growthOf } from './growth.ts'
import { type Failure, LoadClient, usualMix } from './load-client.ts'
import { RudeClients } from './rude-clients.ts'
import type { ProcessSample, ServeInstance } from './serve-instance.ts'
import { Stage } from './stage.ts'

export interface SoakPlan {
  readonly program: string
  readonly durationMs: number
  /** Left out of the growth: code is compiled, heaps find their size. */
  readonly warmUpMs: number
  readonly sampleMs: number
  readonly ratePerSecond: number
  readonly changesPerSecond: number
  readonly rudePerSecond: number
  readonly onProgress?: (text: string) => void
}

interface Sample {
  readonly atMs: number
  /** As it came, and after a full collection of garbage. */
  readonly before: ProcessSample
  readonly after: ProcessSample
}

export interface SoakReport {
  readonly sent: number
  readonly failures: readonly Failure[]
  readonly changes: { readonly endpoints: number; readonly routes: number; readonly certificates: number }
  readonly samples: readonly Sample[]
  /**
   * After the warm-up, as a share of what there was then, each time after a full collection: what waits to be collected
   * rises and falls by more than any leak. Undefined with fewer than 3 samples.
   */
  readonly residentGrowth: number | undefined
  /** The same of the used heaps together. */
  readonly liveHeapGrowth: number | undefined
  /** Most and least resident memory as it came. */
  readonly residentBytes: { readonly least: number; readonly most: number }
  readonly fileDescriptors: { readonly before: number; readonly after: number }
  /** Gauges of what is open, after everybody has gone. */
  readonly left: Readonly<Record<string, number>>
  readonly workersLost: number
  readonly complaints: readonly unknown[]
  readonly latencies: string
}

const gauges = ['connections_open', 'requests_in_flight', 'tunnels_open', 'upstream_open', 'upstream_idle'] as const
/** V8 gives pages back on threads of its own. */
const freeingMs = 300
/** The proxy waits so long for clients that have ended their side, and some more. */
const settleMs = 15_000

/** Mixed traffic, rude clients and changes of every kind for a time, and what is left of it in the proxy. */
export async function runSoak(plan: SoakPlan): Promise<SoakReport> {
  await using stage = await new Stage({ instances: 1, program: plan.program, workers: 2 }).set()
  const [instance] = stage.instances
  if (instance === undefined) throw new Error('a soak needs an instance')
  return await new SoakRun(plan, stage, instance).run()
}

class SoakRun {
  readonly #plan: SoakPlan
  readonly #stage: Stage
  readonly #instance: ServeInstance
  readonly #client: LoadClient
  readonly #churn: Churn
  readonly #samples: Sample[] = []
  readonly #startedMs = performance.now()

  constructor(plan: SoakPlan, stage: Stage, instance: ServeInstance) {
    this.#plan = plan
    this.#stage = stage
    this.#instance = instance
    this.#client = new LoadClient({
      ratePerSecond: plan.ratePerSecond,
      mix: usualMix,
      secureShare: 0.35,
      freshShare: 0.15,
    })
    this.#churn = new Churn(stage, this.#client)
  }

  async run(): Promise<SoakReport> {
    const client = this.#client
    client.targets = this.#stage.targets
    client.connections.members = this.#stage.members
    client.connections.certificateNames = [this.#stage.writeCertificate(0)]
    const before = await this.#instance.sample()
    client.start()
    const rude = new RudeClients(this.#instance.ports, {
      host: this.#stage.targets[0]?.host ?? '',
      perSecond: this.#plan.rudePerSecond,
    })
    const changes = this.#change()
    await this.#sample()
    await changes
    await rude.stop()
    await client.stop()
    await this.#churn.settled()
    await this.#stage.removePods()
    const left = await this.#settle(before.fileDescriptors)
    return this.#report(before, left)
  }

  get #elapsedMs(): number {
    return performance.now() - this.#startedMs
  }

  /** Every tenth change is a certificate's, the others are in turn of endpoints and routes. */
  async #change(): Promise<void> {
    const pauseMs = 1_000 / this.#plan.changesPerSecond
    for (let turn = 0; this.#elapsedMs < this.#plan.durationMs; turn++) {
      if (turn % 10 === 9) await this.#churn.swapCertificate()
      else if (turn % 2 === 0) await this.#churn.changeEndpoint()
      else await this.#churn.changeRoute()
      await pause(pauseMs)
    }
  }

  async #sample(): Promise<void> {
    const { durationMs, warmUpMs, sampleMs, onProgress } = this.#plan
    await pause(warmUpMs - this.#elapsedMs)
    while (this.#elapsedMs < durationMs) {
      await pause(sampleMs)
      const before = await this.#instance.sample()
      await this.#instance.collect()
      await pause(freeingMs)
      const sample = { atMs: this.#elapsedMs, before, after: await this.#instance.sample() }
      this.#samples.push(sample)
      onProgress?.(this.#describe(sample))
    }
  }

  #describe({ atMs, before, after }: Sample): string {
    const megabytes = (bytes: number): string => (bytes / 1_048_576).toFixed(1)
    const { sent, failures } = this.#client
    return (
      `${Math.round(atMs / 1_000)} s: ${sent} requests, ${failures.length} failed, ` +
      `resident ${megabytes(before.residentBytes)} MiB, ${megabytes(after.residentBytes)} MiB after a collection, ` +
      `heaps then ${after.heapBytes.map(megabytes).join(' ')} MiB, ${after.fileDescriptors} descriptors`
    )
  }

  /** Waits for what has no reason to stay; what stays all the same is in the report. */
  async #settle(descriptorsBefore: number): Promise<Readonly<Record<string, number>>> {
    const untilMs = this.#elapsedMs + settleMs
    while (true) {
      const metrics = await this.#instance.metrics()
      const left = Object.fromEntries(gauges.map(name => [name, metrics.get(name) ?? Number.NaN]))
      const { fileDescriptors } = await this.#instance.sample()
      const isSettled = Object.values(left).every(value => value === 0) && fileDescriptors <= descriptorsBefore
      if (isSettled || this.#elapsedMs > untilMs) return left
      await pause(100)
    }
  }

  #growth(of: (sample: ProcessSample) => number): number | undefined {
    const points = this.#samples.map(({ atMs, after }) => ({ atMs, value: of(after) }))
    return points.length < 3 ? undefined : growthOf(points)
  }

  async #report(before: ProcessSample, left: SoakReport['left']): Promise<SoakReport> {
    const after = await this.#instance.sample()
    const metrics = await this.#instance.metrics()
    const { sent, failures, latencies } = this.#client
    const resident = this.#samples.map(sample => sample.before.residentBytes)
    return {
      sent,
      failures,
      changes: {
        endpoints: this.#churn.endpointChanges,
        routes: this.#churn.routeChanges,
        certificates: this.#churn.certificateSwaps,
      },
      samples: this.#samples,
      residentGrowth: this.#growth(({ residentBytes }) => residentBytes),
      liveHeapGrowth: this.#growth(({ heapBytes }) => heapBytes.reduce((sum, bytes) => sum + bytes, 0)),
      residentBytes: { least: Math.min(...resident), most: Math.max(...resident) },
      fileDescriptors: { before: before.fileDescriptors, after: after.fileDescriptors },
      left,
      workersLost: metrics.get('workers_lost_total') ?? Number.NaN,
      complaints: this.#instance.complaints,
      latencies: String(latencies),
    }
  }
}
