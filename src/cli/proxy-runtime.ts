import type { Problem } from '../api/problem.ts'
import type { ProxySettings } from '../api/settings.ts'
import type { Log } from '../observe/log.ts'
import { keepYoungGenerationSmall, releaseGarbage } from '../proxy/heap.ts'
import { createProxy, type Proxy } from '../proxy/proxy.ts'
import type { ProxyPorts } from '../proxy/worker-protocol.ts'
import type { ChangedObject, Delta } from '../routing/model.ts'
import type { Change } from '../routing/snapshot.ts'
import { RoutingTable } from '../routing/table.ts'
import { createTranslator, type Translation, type Translator, type TranslatorOptions } from '../routing/translator.ts'
import type { Source } from '../sources/source.ts'
import { readGrantedResources, workersFor } from './granted-resources.ts'
import { createProxyMetrics } from './proxy-metrics.ts'

export interface ProxyRuntimeOptions {
  readonly log: Log
  readonly address: string
  readonly httpPort: number
  readonly httpsPort: number
  readonly allowLoopbackEndpoints: boolean
  /** Keys of TLS session tickets that replicas share. */
  readonly ticketKeyFile?: string | undefined
  /** Wins over the number in the settings. */
  readonly workers?: number | undefined
  /** Processors that the pod asked the scheduler for. */
  readonly requestedProcessors?: number | undefined
}

/** More changed objects than this in one step are counted in the log, not named. */
const maxNamedChanges = 20

/**
 * The control thread of a proxy, as one line: source → translator → table → workers. `configure` comes first, then
 * `start` once; changes and new configurations may come at any time between.
 */
export class ProxyRuntime {
  readonly table = new RoutingTable()
  readonly #options: ProxyRuntimeOptions
  #configured: { readonly translator: Translator; readonly proxy: Proxy } | undefined
  #source: Source | undefined
  #metrics: ReturnType<typeof createProxyMetrics> | undefined
  /** Until the source is complete nothing is told of what it gave: it would be full of passing problems. */
  #complete = false
  #served = false
  #leaving = false
  #startedMs = performance.now()

  constructor(options: ProxyRuntimeOptions) {
    this.#options = options
  }

  /** Every worker serves a complete table, and we are not about to leave. */
  get ready(): boolean {
    return this.#served && !this.#leaving
  }

  /** Undefined before the first table. */
  get proxy(): Proxy | undefined {
    return this.#complete ? this.#configured?.proxy : undefined
  }

  /** Text exposition of the metrics; empty before the workers start. */
  async metrics(): Promise<string> {
    if (this.proxy !== undefined) this.#metrics ??= createProxyMetrics(this.proxy)
    return this.#metrics === undefined ? '' : this.#metrics.exposition()
  }

  problems(): readonly Problem[] {
    return this.#configured?.translator.problems() ?? []
  }

  /** Sets the class, the scope and the settings, the first time or anew. */
  configure(options: TranslatorOptions): void {
    const { log } = this.#options
    const { ingressClass } = options
    log.info(
      { ingressClass: ingressClass.name, controller: ingressClass.controller },
      'configuration validated and accepted',
    )
    log.info({ ingressClass: ingressClass.name, isDefault: ingressClass.isDefault }, 'valid IngressClass found')
    if (this.#configured === undefined) {
      this.#configured = { translator: createTranslator(options), proxy: this.#createProxy(options.settings.workers) }
      return
    }
    const { translator } = this.#configured
    if (this.#complete) this.#publish(translator.reconfigure(options))
    else translator.stageOptions(options)
  }

  /** Reads the source until it is complete, then starts the workers with the whole table. */
  async start(source: Source): Promise<ProxyPorts> {
    this.#source = source
    source.start(changes => this.#take(changes))
    await source.synced()
    if (this.#leaving) throw new Error('stopped before the first table was complete')
    this.#complete = true
    // Even an empty source is a table: one that answers 404.
    this.#take([])
    const starting = this.#parts().proxy.start()
    // While the workers read the table, which was handed to them.
    keepYoungGenerationSmall()
    releaseGarbage()
    const ports = await starting
    this.#served = true
    this.#logServed(this.table.revision, this.#startedMs)
    return ports
  }

  /** Leaves in order: not ready, then a while of `Connection: close`, then no more connections, then the end of those there are. */
  async stop(times: { readonly lameDuckMs: number; readonly graceMs: number }): Promise<void> {
    this.#leaving = true
    const { log } = this.#options
    log.info(times, 'drain begins')
    const drained = await this.#configured?.proxy.drain(times)
    await this.#source?.stop()
    log.info({ cutConnections: drained?.cutConnections ?? 0 }, 'drain ended')
  }

  #take(changes: readonly Change[]): void {
    const { translator } = this.#parts()
    if (this.#complete) this.#publish(translator.apply(changes))
    else translator.stage(changes)
  }

  #parts(): { readonly translator: Translator; readonly proxy: Proxy } {
    if (this.#configured === undefined) throw new Error('the source gave changes before the configuration')
    return this.#configured
  }

  #publish({ delta, changed, problems }: Translation): void {
    const { log } = this.#options
    if (delta !== undefined) {
      // The workers first: writing lines takes longer than what they wait for.
      void this.#send(this.#parts().proxy, delta)
      this.table.apply(delta)
    }
    for (const problem of problems.added) log.warn(fieldsOf(problem), 'object refused in part')
    for (const problem of problems.resolved) log.info(fieldsOf(problem), 'problem resolved')
    if (delta !== undefined && this.#served) this.#logChanged(changed)
  }

  async #send(proxy: Proxy, delta: Delta): Promise<void> {
    const startedMs = performance.now()
    try {
      await proxy.publish(delta)
      if (this.#served && !this.#leaving) this.#logServed(delta.revision, startedMs)
    } catch (error) {
      this.#options.log.error({ revision: delta.revision, error: String(error) }, 'table could not be served')
    }
  }

  #logChanged(changed: readonly ChangedObject[]): void {
    const { log } = this.#options
    if (changed.length > maxNamedChanges) {
      log.info({ objects: changed.length }, 'configuration changed')
      return
    }
    for (const { kind, namespace, name } of changed) log.info({ kind, namespace, name }, 'configuration changed')
  }

  #logServed(revision: number, startedMs: number): void {
    const { hosts, backends } = this.table.counts
    const milliseconds = Math.round((performance.now() - startedMs) * 10) / 10
    this.#options.log.info({ revision, hosts, backends, milliseconds }, 'table served')
  }

  /** Its workers load their code while the source is read. */
  #createProxy(workers: ProxySettings['workers']): Proxy {
    const { log, address, httpPort, httpsPort, allowLoopbackEndpoints, ticketKeyFile } = this.#options
    const granted = readGrantedResources()
    const wanted = this.#options.workers ?? workers
    const proxy = createProxy({
      log,
      address,
      httpPort,
      httpsPort,
      allowLoopbackEndpoints,
      ticketKeyFile,
      workers: wanted === 'auto' ? workersFor(granted, this.#options.requestedProcessors) : wanted,
      memory: {
        limitBytes: granted.memoryLimitBytes,
        usage: granted.memoryUsage ?? (() => process.memoryUsage.rss()),
      },
      workerFile: workerFile(),
    })
    proxy.warm()
    return proxy
  }
}

/** Beside the bundle's chunks, or in the sources when these run as they are. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? '../proxy/worker.ts' : './worker.js', import.meta.url)
}

function fieldsOf({ object, field, reason, message }: Problem): Readonly<Record<string, unknown>> {
  return { kind: object.kind, namespace: object.namespace, name: object.name, field, reason, problem: message }
}
