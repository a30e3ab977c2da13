import { setTimeout as pause } from 'node:timers/promises'
import { Latencies } from './latencies.ts'
import type { LoadConnection } from './load-connection.ts'
import { LoadConnections } from './load-connections.ts'
import { type LoadRequest, perform, type Target } from './load-request.ts'
import { type RequestKind, requestKinds, targetOf } from './pod-protocol.ts'

export interface Failure {
  readonly atMs: number
  readonly id: number
  readonly kind: RequestKind
  readonly url: string
  readonly instance: string
  /** 0 when it was never connected. */
  readonly connectionKey: number
  /** Of the connection, this one included. */
  readonly requests: number
  /** Bytes of the answer that had come. */
  readonly unread: string
  readonly why: string
}

export interface LoadClientOptions {
  readonly ratePerSecond: number
  /** Relative number of requests of each kind. */
  readonly mix: Readonly<Record<RequestKind, number>>
  /** Share of requests over TLS, where the target has it. */
  readonly secureShare: number
  /** Share of requests on a connection of their own. */
  readonly freshShare: number
}

export const usualMix: LoadClientOptions['mix'] = {
  small: 66,
  chunked: 10,
  large: 2,
  post: 12,
  'post-chunked': 8,
  websocket: 2,
}

/** Beyond them the schedule is stretched: on a machine that cannot keep up, they would only wait for each other. */
const maxInFlight = 128
const timeoutMs = 30_000
const maxFailures = 10_000

/**
 * An open-loop client: requests begin by the schedule, however the earlier ones fare. It is as strict as can be: it
 * repeats nothing, and what is not exactly the answer to its request is a failure.
 */
export class LoadClient {
  readonly connections = new LoadConnections()
  targets: readonly Target[] = []
  readonly failures: Failure[] = []
  readonly latencies = new Latencies()
  /** Requests begun and requests answered; their numbers are 0 to `sent` - 1. */
  sent = 0
  readonly answered = Object.fromEntries(requestKinds.map(kind => [kind, 0])) as Record<RequestKind, number>
  /** Number of each request that changes something and has been answered. */
  readonly answeredPosts: number[] = []
  /** Tunnels that were ended in order, by their connection: the proxy may hear of the end a moment later. */
  readonly endedTunnels: { readonly connectionKey: number; readonly atMs: number }[] = []
  readonly #options: LoadClientOptions
  readonly #current = new Set<LoadRequest>()
  /** Pods that left, and the first request that they must not answer. */
  readonly #gone = new Map<string, number>()
  #waiting: { readonly count: number; readonly resolve: () => void }[] = []
  #scheduler: NodeJS.Timeout | undefined
  #sweeper: NodeJS.Timeout | undefined

  constructor(options: LoadClientOptions) {
    this.#options = options
  }

  start(): void {
    const { ratePerSecond } = this.#options
    let scheduledMs = performance.now()
    this.#scheduler = setInterval(() => {
      const due = Math.floor(((performance.now() - scheduledMs) * ratePerSecond) / 1_000)
      scheduledMs += (due * 1_000) / ratePerSecond
      for (let count = 0; count < due && this.#current.size < maxInFlight; count++) this.#begin()
    }, 1)
    this.#sweeper = setInterval(() => this.#sweep(), 1_000)
  }

  /** Resolves when so many requests have begun. */
  async untilSent(count: number): Promise<void> {
    if (this.sent >= count) return
    await new Promise<void>(resolve => {
      this.#waiting.push({ count, resolve })
    })
  }

  /** Resolves when every request that has begun until now has ended. */
  async untilEnded(): Promise<void> {
    const begun = this.sent
    while ([...this.#current].some(({ id }) => id < begun)) await pause(5)
  }

  /** No request that begins from now on may be answered by this pod. */
  forbid(pod: string): void {
    this.#gone.set(pod, this.sent)
  }

  /** Begins no more requests; resolves when those there are have ended, and closes what is kept. */
  async stop(): Promise<void> {
    clearInterval(this.#scheduler)
    await this.untilEnded()
    clearInterval(this.#sweeper)
    this.connections.closeAll()
  }

  get inFlight(): number {
    return this.#current.size
  }

  #begin(): void {
    const target = this.targets[Math.floor(Math.random() * this.targets.length)]
    if (target === undefined) throw new Error('the client has no target')
    const kind = this.#drawKind()
    const request: LoadRequest = {
      id: this.sent++,
      kind,
      target,
      services: target.services,
      secure: target.tls && Math.random() < this.#options.secureShare,
      // As browsers do: a tunnel gets a connection of its own.
      fresh: kind === 'websocket' || Math.random() < this.#options.freshShare,
      startedMs: performance.now(),
      connection: undefined,
    }
    this.#current.add(request)
    void this.#serve(request)
    const due = this.#waiting.filter(({ count }) => count <= this.sent)
    if (due.length === 0) return
    this.#waiting = this.#waiting.filter(({ count }) => count > this.sent)
    for (const { resolve } of due) resolve()
  }

  #drawKind(): RequestKind {
    const { mix } = this.#options
    let chance = Math.random() * requestKinds.reduce((sum, kind) => sum + mix[kind], 0)
    return requestKinds.find(kind => (chance -= mix[kind]) < 0) ?? 'small'
  }

  async #serve(request: LoadRequest): Promise<void> {
    try {
      const connection = await this.#connection(request)
      const { pod, reusable } = await perform(request, connection)
      const goneFrom = this.#gone.get(pod)
      if (goneFrom !== undefined && request.id >= goneFrom) throw new Error(`answer of ${pod}, which had left`)
      this.#succeed(request)
      if (reusable) this.connections.keep(connection)
      else connection.client.destroy()
    } catch (error) {
      this.#fail(request, error)
    } finally {
      this.#current.delete(request)
    }
  }

  async #connection(request: LoadRequest): Promise<LoadConnection> {
    const serverName = request.secure ? request.target.host : undefined
    const onOpen = (connection: LoadConnection): void => {
      request.connection = connection
    }
    const kept = request.fresh ? undefined : this.connections.takeKept(serverName, Math.random())
    if (kept === undefined) return this.connections.open(serverName, { resume: Math.random() < 0.5, onOpen })
    onOpen(kept)
    return kept
  }

  #succeed({ id, kind, startedMs, connection }: LoadRequest): void {
    this.answered[kind]++
    if (kind === 'websocket') this.endedTunnels.push({ connectionKey: connection?.key ?? 0, atMs: performance.now() })
    if (kind === 'post' || kind === 'post-chunked') this.answeredPosts.push(id)
    this.latencies.add(performance.now() - startedMs)
  }

  #fail({ id, kind, target, secure, connection }: LoadRequest, error: unknown): void {
    const { client } = connection ?? {}
    const reason = error instanceof Error ? error.message : String(error)
    if (this.failures.length < maxFailures) {
      this.failures.push({
        atMs: Math.round(performance.now()),
        id,
        kind,
        url: `${secure ? 'https' : 'http'}://${target.host}${targetOf(target.path, kind, id)}`,
        instance: connection?.member.name ?? '',
        connectionKey: connection?.key ?? 0,
        requests: connection?.requests ?? 0,
        unread: client?.unread.slice(0, 200) ?? '',
        why: client?.error === undefined ? reason : `${reason} (${client.error.message})`,
      })
    }
    client?.destroy()
  }

  #sweep(): void {
    this.connections.closeOld()
    const before = performance.now() - timeoutMs
    for (const { startedMs, connection } of this.#current) {
      if (startedMs < before) connection?.client.socket.destroy(new Error(`nothing after ${timeoutMs} ms`))
    }
  }
}
