import { randomInt } from 'node:crypto'
import type { Socket } from 'node:net'
import type { ProxySettings } from '../api/settings.ts'
import { type TlsParameters, tlsProfiles } from '../api/tls-profile.ts'
import { defaultSettings } from '../routing/default-settings.ts'
import type { Delta } from '../routing/model.ts'
import { reviveBackends } from '../routing/packed-backend.ts'
import { RoutingTable } from '../routing/table.ts'
import { AccessLog } from './access-log.ts'
import { AddressCounts } from './address-counts.ts'
import { RandomNumbers } from './balancers/random-numbers.ts'
import { BoundRoutes } from './bound-route.ts'
import { ClientCertificateRules } from './client-certificate-rules.ts'
import { ClientConnection } from './client-connection.ts'
import { plainAddress } from './client-identity.ts'
import { CoarseClock, tickMs } from './coarse-clock.ts'
import { DiscardBudget } from './discard-budget.ts'
import { DueConnections } from './due-connections.ts'
import type { Handshakes } from './handshakes.ts'
import { releaseGarbage } from './heap.ts'
import { HeapWatch } from './heap-watch.ts'
import { listHeldBackends } from './held-backends.ts'
import { type HandshakeAnswer, Listeners, type TlsServing } from './listeners.ts'
import { oldestIdle } from './oldest-idle.ts'
import { ReadBuffers } from './read-buffers.ts'
import { BodyBudget } from './request-buffer.ts'
import { RequestIds } from './request-ids.ts'
import { RetryBudget } from './retry-policy.ts'
import { SecureContexts } from './secure-contexts.ts'
import { ServedTls } from './served-tls.ts'
import { probeSocketInternals } from './socket-internals.ts'
import type { TransportSupport } from './transport.ts'
import { Upstreams } from './upstreams.ts'
import type { WorkerContext } from './worker-context.ts'
import { WorkerCounters } from './worker-counters.ts'
import type { FromWorker, ToWorker, WorkerConfiguration, WorkerEvent } from './worker-protocol.ts'

/** Lines of the log that one worker may ask for in a second: hostile traffic must not fill it. */
const maxEventsPerSecond = 10
/**
 * The listeners close after so many ticks without a new connection, and after so long whatever comes. Ticks, because
 * between two of them the kernel is asked: a thread that was kept waiting for its processor has heard of nothing.
 */
const quietTicks = 3
const maxQuietWaitMs = 5_000
/** After the listeners closed, how long to wait for handshakes; and in the end, for stdout to take the access log. */
const maxHandshakeWaitMs = 2_000
const maxLogWaitMs = 1_000
/**
 * Idle connections closed at once when there is room for no more, as a share of all that may be open: looking for them
 * is dearer than closing them.
 */
const evictedShare = 1 / 256
/** How often memory is measured, in ticks; and while it is short, how often garbage is collected. */
const memoryTicks = 5
const collectTicks = 50
/** What the kernel's and OpenSSL's part of a connection takes, roughly: V8 does not know of it. */
const plainConnectionBytes = 4_096
const tlsConnectionBytes = 40_960

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
  /** Whose time is over, and who has rested: these must not wait for those. */
  readonly #over = new DueConnections<ClientConnection>(1 / 1024, connection => connection.endIfOver())
  readonly #rested = new DueConnections<ClientConnection>(1 / 64, connection => connection.readIfRested())
  readonly #transports: TransportSupport = { buffers: new ReadBuffers(), internals: undefined }
  readonly #addresses = new AddressCounts()
  readonly #heap = new HeapWatch()
  #processIsOver: boolean
  #ticks = 0
  #secureConnections = 0
  /** At this tick every connection was busy. */
  #fullAtTick = -1
  readonly #context: WorkerContext
  readonly #servedTls: ServedTls
  readonly #rules = new ClientCertificateRules()
  #ticker: NodeJS.Timeout | undefined
  #eventSecond = 0
  #events = 0
  #stop: { readonly graceDeadline: number; readonly quietDeadline: number } | undefined
  #listenersClosedAt = Number.POSITIVE_INFINITY
  #connectionsGoneAt = Number.POSITIVE_INFINITY
  #destroyed = 0
  #seenAccepted = 0
  #quietTicks = 0

  constructor(configuration: WorkerConfiguration, post: (message: FromWorker) => void) {
    this.#configuration = configuration
    this.#post = post
    this.#processIsOver = configuration.memoryIsOver
    this.#counters = new WorkerCounters(configuration.counters)
    this.#contexts = new SecureContexts((certificate, error) =>
      this.#rejectCertificate(certificate.id, error instanceof Error ? error.message : ''),
    )
    this.#context = this.#createContext(configuration.state.settings ?? defaultSettings)
    // Not those of the settings, which may be such that no listener could be made: the strictest that there are.
    const parameters = tlsProfiles.Modern
    const initial = { certificate: undefined, parameters, sessionContext: this.#rules.sessionContext }
    this.#listeners = this.#createListeners(initial)
    this.#servedTls = new ServedTls({
      initial,
      serve: tls => this.#listeners.serve(tls),
      onCertificateRejected: (certificate, error) => this.#rejectCertificate(certificate?.id ?? '', error),
      onParametersRejected: (rejected, error) => this.#rejectParameters(rejected, error),
    })
  }

  /** Serves the table that it was given, then listens. */
  async start(): Promise<void> {
    // Before anything is waited for: a delta that comes meanwhile is newer.
    this.#apply(this.#configuration.state)
    this.#transports.internals = await probeSocketInternals(this.#transports.buffers)
    releaseGarbage()
    this.#ticker = setInterval(() => this.#tick(), tickMs)
    const ports = await this.#listeners.listen()
    this.#post({ type: 'serving', revision: this.#table.revision })
    this.#post({ type: 'listening', ...ports })
  }

  receive(message: Exclude<ToWorker, { type: 'start' }>): void {
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
          backends: listHeldBackends(this.#context.upstreams.backends(), {
            hosts: this.#table.hosts(),
            settings: this.#context.settings,
          }),
        })
        break
      case 'memory':
        this.#processIsOver = message.isOver
        this.#judgeLoad()
        break
      case 'ticket-keys':
        this.#listeners.useTicketKeys(message.keys)
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
        transports: this.#transports,
        allowLoopbackEndpoints: this.#configuration.allowLoopbackEndpoints,
        seed: this.#configuration.index,
        random: new RandomNumbers(randomInt(2 ** 32)),
        settings,
      }),
      transports: this.#transports,
      clock: this.#clock,
      counters: this.#counters,
      accessLog,
      requestIds: new RequestIds(),
      forwardedPorts: this.#configuration.forwardedPorts,
      bodyBudget: new BodyBudget(),
      retryBudget: new RetryBudget(),
      discardBudget: new DiscardBudget(),
      settings,
      draining: false,
      drainEndsMs: Number.POSITIVE_INFINITY,
      overloaded: this.#processIsOver,
      reportBug: error =>
        this.#event('requestFailed', { error: error instanceof Error ? (error.stack ?? error.message) : '' }),
    }
  }

  #createListeners(tls: TlsServing): Listeners {
    const { address, httpPort, httpsPort, ticketKeys } = this.#configuration
    return new Listeners({
      address,
      httpPort,
      httpsPort,
      ticketKeys,
      tls,
      answerFor: serverName => this.#answerFor(serverName),
      mayHandshake: (handshakes, socket) => this.#mayHandshake(handshakes, socket),
      onConnection: (socket, secure) => this.#accept(socket, secure),
      onHandshakeFailed: () => this.#counters.add('tlsHandshakesFailed'),
      onError: error => this.#event('listenerFailed', { error: error.message }),
      nowMs: () => this.#clock.nowMs,
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
    this.#rules.apply(delta)
    this.#serveTls()
  }

  /** Applies what handshakes have in common, where it changed. */
  #serveTls(): void {
    const id = this.#table.defaultCertificate
    const newest = id === undefined ? undefined : this.#table.certificate(id)
    this.#servedTls.use(newest, this.#context.settings.tls, this.#rules.sessionContext)
  }

  #rejectCertificate(certificate: string, error: string): void {
    this.#counters.add('certificatesRejected')
    this.#event('certificateRejected', { certificate, error })
  }

  #rejectParameters({ minVersion, maxVersion, cipherSuites, curves }: TlsParameters, error: string): void {
    const fields = { minVersion, maxVersion, suites: cipherSuites.join(), curves: curves.join(), error }
    this.#event('tlsParametersRejected', fields)
  }

  /** The host's certificate; the default one when it has none or its own cannot be loaded. */
  #answerFor(serverName: string): HandshakeAnswer | undefined {
    const host = this.#table.hostOfServerName(serverName)
    const rule = host?.clientCertificates
    const id = host?.certificate
    const isOwn = id !== undefined && id !== this.#table.defaultCertificate
    const certificate = isOwn ? this.#table.certificate(id) : undefined
    const own = certificate === undefined ? undefined : this.#contexts.of(certificate, rule)
    const fallback = this.#servedTls.certificate
    const context = own ?? (fallback === undefined ? undefined : this.#contexts.of(fallback, rule))
    return context === undefined ? undefined : { context, asksForCertificate: rule !== undefined }
  }

  /** Counted from the first byte: a handshake costs more than a request. */
  #mayHandshake(handshakes: Handshakes, socket: Socket): boolean {
    const address = plainAddress(socket.remoteAddress ?? '')
    if (!this.#mayConnect(address, this.#connections.size + handshakes.count)) return false
    socket.once('close', () => this.#addresses.release(address))
    if (handshakes.count >= this.#context.settings.limits.maxHandshakes) {
      this.#counters.add('tlsHandshakesDropped')
      handshakes.dropOldest()
    }
    return true
  }

  #accept(socket: Socket, secure: boolean): void {
    this.#counters.add('connectionsAccepted')
    // Over TLS, `#mayHandshake` has asked; but the place may be gone since.
    const address = secure ? '' : plainAddress(socket.remoteAddress ?? '')
    const isAllowed = secure ? this.#hasRoom(this.#connections.size) : this.#mayConnect(address, this.#connections.size)
    if (!isAllowed) {
      if (secure) this.#counters.add('connectionsRefused')
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    this.#counters.add('connectionsOpen')
    const onGone = (gone: ClientConnection): void => {
      if (!this.#connections.delete(gone)) return
      this.#counters.add('connectionsOpen', -1)
      if (secure) this.#secureConnections--
      else this.#addresses.release(address)
    }
    if (secure) this.#secureConnections++
    this.#connections.add(new ClientConnection(socket, { context: this.#context, secure, onGone }))
  }

  #mayConnect(address: string, open: number): boolean {
    const { maxConnectionsPerAddress } = this.#context.settings.limits
    // The address first: whoever is refused for it must not cost others their idle connections.
    const isAdmitted = !this.#context.overloaded && this.#addresses.admit(address, maxConnectionsPerAddress)
    if (isAdmitted && this.#hasRoom(open)) return true
    if (isAdmitted) this.#addresses.release(address)
    this.#counters.add('connectionsRefused')
    return false
  }

  /** Where there is none, those make room that have been idle longest. */
  #hasRoom(open: number): boolean {
    const { maxConnections } = this.#context.settings.limits
    if (open < maxConnections) return true
    if (this.#fullAtTick === this.#ticks) return false
    const evicted = this.#evict(oldestIdle(this.#connections, Math.min(64, Math.ceil(maxConnections * evictedShare))))
    // Asked for again and again, it would cost more than it finds.
    if (evicted === 0) this.#fullAtTick = this.#ticks
    return evicted > 0
  }

  #evict(idle: Iterable<ClientConnection>): number {
    let evicted = 0
    for (const connection of idle) if (connection.evict()) evicted++
    this.#counters.add('connectionsEvicted', evicted)
    return evicted
  }

  #tick(): void {
    this.#ticks++
    this.#counters.add('clockTicks')
    this.#clock.tick()
    const now = this.#clock.nowMs
    this.#context.discardBudget.refill()
    for (const connection of this.#connections) {
      const due = connection.sweep(now)
      if (due === 'end') this.#over.add(connection)
      else if (due === 'read') this.#rested.add(connection)
    }
    this.#listeners.sweep(now, this.#context.settings.timeouts.clientHeadMs)
    this.#context.upstreams.sweep()
    this.#context.accessLog.flush()
    if (this.#ticks % memoryTicks === 0) this.#watchHeap()
    this.#goOnStopping(now)
  }

  #watchHeap(): void {
    const changed = this.#heap.check()
    const plain = (this.#connections.size - this.#secureConnections) * plainConnectionBytes
    const secure = (this.#secureConnections + this.#listeners.handshaking) * tlsConnectionBytes
    this.#counters.set('heapBytes', this.#heap.heapBytes)
    this.#counters.set('heldBytes', this.#heap.externalBytes + plain + secure)
    if (changed) this.#event(this.#heap.isOver ? 'heapOver' : 'heapUnder', {})
    this.#judgeLoad()
  }

  /** While memory is short: what is idle is closed, and what is garbage is given back, or the shortage would stay. */
  #judgeLoad(): void {
    const was = this.#context.overloaded
    this.#context.overloaded = this.#processIsOver || this.#heap.isOver
    if (!this.#context.overloaded) return
    this.#evict(this.#connections)
    this.#context.upstreams.closeIdle()
    if (!was || this.#ticks % collectTicks === 0) this.#heap.collect()
  }

  #beginStop(graceMs: number): void {
    if (this.#stop !== undefined) return
    this.#context.draining = true
    const now = this.#clock.nowMs
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
      this.#quietTicks = 0
    } else this.#quietTicks++
    const isQuiet = this.#quietTicks >= quietTicks || now >= this.#stop.quietDeadline
    if (isQuiet && this.#listenersClosedAt === Number.POSITIVE_INFINITY) {
      this.#listenersClosedAt = now
      this.#context.drainEndsMs = this.#stop.graceDeadline
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
