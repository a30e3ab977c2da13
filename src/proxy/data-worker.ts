import type { Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { ProxySettings } from '../api/settings.ts'
import type { Certificate, Delta } from '../routing/model.ts'
import { reviveBackends } from '../routing/packed-backend.ts'
import { RoutingTable } from '../routing/table.ts'
import { AccessLog } from './access-log.ts'
import { BoundRoutes } from './bound-route.ts'
import { ClientConnection } from './client-connection.ts'
import { CoarseClock, tickMs } from './coarse-clock.ts'
import { releaseGarbage } from './heap.ts'
import { listHeldBackends } from './held-backends.ts'
import { initialSettings } from './initial-settings.ts'
import { Listeners } from './listeners.ts'
import { RequestIds } from './request-ids.ts'
import { SecureContexts } from './secure-contexts.ts'
import { Upstreams } from './upstreams.ts'
import type { WorkerContext } from './worker-context.ts'
import { WorkerCounters } from './worker-counters.ts'
import type { FromWorker, ToWorker, WorkerConfiguration, WorkerEvent } from './worker-protocol.ts'

/** Lines of the log that one worker may ask for in a second: hostile traffic must not fill it. */
const maxEventsPerSecond = 10
/** The listeners close after so long without a new connection, and after so long whatever comes. */
const quietMs = 200
const maxQuietWaitMs = 5_000
/** After the listeners closed, how long to wait for handshakes; and in the end, for stdout to take the access log. */
const maxHandshakeWaitMs = 2_000
const maxLogWaitMs = 1_000

/** One data worker: its table, its listeners, its connections and the one clock that looks after them all. */
export class DataWorker {
  readonly #configuration: WorkerConfiguration
  readonly #post: (message: FromWorker) => void
  readonly #counters: WorkerCounters
  readonly #clock = new CoarseClock()
  readonly #table = new RoutingTable()
  readonly #contexts: SecureContexts
  readonly #listeners: Listeners
  readonly #connections = new Set<ClientConnection>()
  readonly #context: WorkerContext
  /** The newest default certificate that could be loaded, and the newest one. */
  #defaultCertificate: Certificate | undefined
  #judgedDefault: Certificate | undefined
  #ticker: NodeJS.Timeout | undefined
  #eventSecond = 0
  #events = 0
  #stop: { readonly graceDeadline: number; readonly quietDeadline: number } | undefined
  #listenersClosedAt = Number.POSITIVE_INFINITY
  #connectionsGoneAt = Number.POSITIVE_INFINITY
  #destroyed = 0
  #seenAccepted = 0
  #quietSince = 0

  constructor(configuration: WorkerConfiguration, post: (message: FromWorker) => void) {
    this.#configuration = configuration
    this.#post = post
    this.#counters = new WorkerCounters(configuration.counters)
    this.#contexts = new SecureContexts(certificate => {
      this.#counters.add('certificatesRejected')
      this.#event('certificateRejected', { certificate: certificate.id })
    })
    this.#context = this.#createContext(configuration.state.settings ?? initialSettings)
    this.#listeners = this.#createListeners()
  }

  /** Serves the table that it was given, then listens. */
  async start(): Promise<void> {
    this.#apply(this.#configuration.state)
    releaseGarbage()
    this.#ticker = setInterval(() => this.#tick(), tickMs)
    const ports = await this.#listeners.listen()
    this.#post({ type: 'serving', revision: this.#table.revision })
    this.#post({ type: 'listening', ...ports })
  }

  receive(message: ToWorker): void {
    switch (message.type) {
      case 'delta':
        this.#apply(message.delta)
        this.#post({ type: 'serving', revision: message.delta.revision })
        break
      case 'log-written':
        this.#context.accessLog.written()
        break
      case 'list-backends':
        this.#post({
          type: 'backends',
          request: message.request,
          backends: listHeldBackends(this.#context.upstreams.backends()),
        })
        break
      case 'lame-duck':
        this.#context.draining = true
        break
      case 'stop':
        this.#beginStop(message.graceMs)
        break
    }
  }

  #createContext(settings: ProxySettings): WorkerContext {
    const accessLog = new AccessLog(
      text => this.#post({ type: 'log', text }),
      lines => this.#counters.add('logLinesDropped', lines),
    )
    accessLog.format = settings.accessLog
    return {
      table: this.#table,
      routes: new BoundRoutes(settings),
      upstreams: new Upstreams({
        clock: this.#clock,
        counters: this.#counters,
        allowLoopbackEndpoints: this.#configuration.allowLoopbackEndpoints,
        seed: this.#configuration.index,
        settings,
      }),
      clock: this.#clock,
      counters: this.#counters,
      accessLog,
      requestIds: new RequestIds(),
      forwardedPorts: this.#configuration.forwardedPorts,
      settings,
      draining: false,
      reportBug: error =>
        this.#event('requestFailed', { error: error instanceof Error ? (error.stack ?? error.message) : '' }),
    }
  }

  #createListeners(): Listeners {
    const { address, httpPort, httpsPort, ticketKeys } = this.#configuration
    return new Listeners({
      address,
      httpPort,
      httpsPort,
      ticketKeys,
      handshakeMs: this.#context.settings.timeouts.clientHeadMs,
      contextFor: serverName => this.#contextFor(serverName),
      mayHandshake: handshaking => this.#mayHandshake(handshaking),
      onConnection: (socket, secure) => this.#accept(socket, secure),
      onHandshakeFailed: () => this.#counters.add('tlsHandshakesFailed'),
      onError: error => this.#event('listenerFailed', { error: error.message }),
    })
  }

  #apply(cloned: Delta): void {
    const delta = { ...cloned, backends: reviveBackends(cloned.backends) }
    this.#table.apply(delta)
    const { settings } = delta
    if (settings !== undefined) {
      this.#context.settings = settings
      this.#context.routes.use(settings)
      this.#context.accessLog.format = settings.accessLog
    }
    this.#context.upstreams.apply(delta)
    for (const [id, certificate] of delta.certificates) if (certificate === undefined) this.#contexts.forget(id)
    this.#useDefaultCertificate()
  }

  #useDefaultCertificate(): void {
    const id = this.#table.defaultCertificate
    const certificate = id === undefined ? undefined : this.#table.certificate(id)
    if (certificate === undefined || certificate === this.#judgedDefault) return
    this.#judgedDefault = certificate
    try {
      this.#listeners.useDefault(certificate)
      this.#defaultCertificate = certificate
    } catch {
      this.#counters.add('certificatesRejected')
      this.#event('certificateRejected', { certificate: certificate.id })
    }
  }

  /** The host's certificate; the default one when it has none or its own cannot be loaded. */
  #contextFor(serverName: string): SecureContext | undefined {
    const id = this.#table.certificateFor(serverName)
    const isOwn = id !== undefined && id !== this.#table.defaultCertificate
    const certificate = isOwn ? this.#table.certificate(id) : undefined
    const context = certificate === undefined ? undefined : this.#contexts.of(certificate)
    if (context !== undefined) return context
    return this.#defaultCertificate === undefined ? undefined : this.#contexts.of(this.#defaultCertificate)
  }

  #mayHandshake(handshaking: number): boolean {
    if (this.#connections.size + handshaking < this.#context.settings.limits.maxConnections) return true
    this.#counters.add('connectionsRefused')
    return false
  }

  #accept(socket: Socket, secure: boolean): void {
    this.#counters.add('connectionsAccepted')
    if (this.#connections.size >= this.#context.settings.limits.maxConnections) {
      this.#counters.add('connectionsRefused')
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    this.#counters.add('connectionsOpen')
    const onGone = (gone: ClientConnection): void => {
      if (this.#connections.delete(gone)) this.#counters.add('connectionsOpen', -1)
    }
    this.#connections.add(new ClientConnection(socket, { context: this.#context, secure, onGone }))
  }

  #tick(): void {
    this.#clock.tick()
    const now = this.#clock.nowMs
    for (const connection of this.#connections) connection.sweep(now)
    this.#context.upstreams.sweep()
    this.#context.accessLog.flush()
    this.#goOnStopping(now)
  }

  #beginStop(graceMs: number): void {
    if (this.#stop !== undefined) return
    this.#context.draining = true
    const now = this.#clock.nowMs
    this.#quietSince = now
    this.#seenAccepted = this.#listeners.accepted
    this.#stop = { graceDeadline: now + graceMs, quietDeadline: now + Math.min(maxQuietWaitMs, graceMs) }
  }

  /**
   * Accept until nothing comes any more, because closing loses what the kernel has queued; then close the listeners
   * and what is idle; then wait for what is in flight, within the grace.
   */
  #goOnStopping(now: number): void {
    if (this.#stop === undefined) return
    if (this.#listeners.accepted !== this.#seenAccepted) {
      this.#seenAccepted = this.#listeners.accepted
      this.#quietSince = now
    }
    const isQuiet = now - this.#quietSince >= quietMs || now >= this.#stop.quietDeadline
    if (isQuiet && this.#listenersClosedAt === Number.POSITIVE_INFINITY) {
      this.#listenersClosedAt = now
      this.#listeners.close()
    }
    if (this.#listenersClosedAt === Number.POSITIVE_INFINITY) return
    for (const connection of this.#connections) connection.stop()
    const isHandshaking = this.#listeners.handshaking > 0 && now - this.#listenersClosedAt < maxHandshakeWaitMs
    const isServing = this.#connections.size > 0 || isHandshaking
    if (!isServing || now >= this.#stop.graceDeadline) this.#finishStop(now)
  }

  /** What is left is cut, and the access log is given a moment to come out. */
  #finishStop(now: number): void {
    this.#connectionsGoneAt = Math.min(this.#connectionsGoneAt, now)
    this.#destroyed += this.#connections.size
    for (const connection of this.#connections) connection.cut()
    this.#context.upstreams.closeIdle()
    const { accessLog } = this.#context
    accessLog.flush()
    if (!accessLog.settled && now - this.#connectionsGoneAt < maxLogWaitMs) return
    clearInterval(this.#ticker)
    this.#post({ type: 'stopped', destroyed: this.#destroyed })
  }

  #event(event: WorkerEvent, fields: Record<string, string | number>): void {
    const second = Math.floor(this.#clock.nowMs / 1000)
    if (second !== this.#eventSecond) {
      this.#eventSecond = second
      this.#events = 0
    }
    this.#events++
    if (this.#events <= maxEventsPerSecond) this.#post({ type: 'event', event, fields })
  }
}
