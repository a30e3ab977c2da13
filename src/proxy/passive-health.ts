import type { CoarseClock } from './coarse-clock.ts'
import type { ProxyErrorCode } from './errors.ts'
import type { WorkerCounters } from './worker-counters.ts'

/**
 * Endpoints that fail are avoided for a while, by what their own connections tell; nobody asks them for their health.
 *
 * - A connection that cannot be made ejects at once: a pod that ends refuses before its EndpointSlice says so.
 * - Timeouts and broken responses eject when there are several in a row.
 * - The first ejection is short, each further one twice as long, up to a bound. After it one request is let through;
 *   the others wait for its outcome. A response that begins makes all well.
 * - Never all of them: where more than half of a backend is ejected for what it answered, ejection is ignored, because
 *   the others would break under the load. One that takes no connections is avoided even then: asking it helps nobody.
 *
 * What is known of an endpoint is kept at its pool, so it lives by address and outlives changes of the table.
 */
export interface Judged {
  /** Undefined while all is well, as nearly always. */
  health: EndpointHealth | undefined
}

interface EndpointHealth {
  /** Since the last response. */
  failures: number
  ejections: number
  /** Avoided until then, by the coarse clock. */
  ejectedUntilMs: number
  /** It takes no connections. */
  deaf: boolean
  /** A request was let through after the ejection, and its outcome is not known. */
  probing: boolean
}

/** Failures in a row, of endpoints that take connections. */
const failuresToEject = 5
const firstEjectionMs = 1_000
const longestEjectionMs = 30_000
/** How long the others wait for the outcome of the request that is let through. */
const probeMs = 1_000

/** Which endpoints of one backend are avoided, as it was found last. */
export class AvoidedEndpoints {
  panicking = false
  version = -1
  nowMs = -1
}

/** What one worker thinks of its endpoints. */
export class PassiveHealth {
  readonly #clock: Pick<CoarseClock, 'nowMs'>
  readonly #counters: WorkerCounters
  /** Nobody is ejected after this time. */
  #latestEndMs = 0
  /** Grows with every change. */
  #version = 0

  constructor(clock: Pick<CoarseClock, 'nowMs'>, counters: WorkerCounters) {
    this.#clock = clock
    this.#counters = counters
  }

  /** False nearly always: then no endpoint needs to be looked at. */
  get anyEjected(): boolean {
    return this.#clock.nowMs < this.#latestEndMs
  }

  /** To be passed over, given what `look` found of its backend. */
  isAvoided({ health }: Judged, { panicking }: AvoidedEndpoints): boolean {
    return health !== undefined && health.ejectedUntilMs > this.#clock.nowMs && (health.deaf || !panicking)
  }

  /** Brings `avoided` up to date; costs two comparisons when nothing has changed. */
  look(endpoints: readonly Judged[], avoided: AvoidedEndpoints): void {
    const { nowMs } = this.#clock
    if (avoided.version === this.#version && avoided.nowMs === nowMs) return
    avoided.version = this.#version
    avoided.nowMs = nowMs
    avoided.panicking = false
    let broken = 0
    for (const endpoint of endpoints) {
      if (this.isAvoided(endpoint, avoided) && endpoint.health?.deaf === false) broken++
    }
    avoided.panicking = broken * 2 > endpoints.length
  }

  /** When the endpoint's ejection is over, the request for which it was chosen finds out for the others. */
  chosen({ health }: Judged): void {
    if (health === undefined || health.ejections === 0 || health.ejectedUntilMs > this.#clock.nowMs) return
    health.probing = true
    this.#avoid(health, probeMs)
  }

  /** A request failed at this endpoint, or its connection could not be made. */
  failed(endpoint: Judged, code: ProxyErrorCode): void {
    endpoint.health ??= { failures: 0, ejections: 0, ejectedUntilMs: 0, deaf: false, probing: false }
    const { health } = endpoint
    const isDeaf = code === 'connect_failed' || code === 'connect_timeout'
    health.failures++
    // What was under way together with the request that ejected it says nothing new.
    const isNews = health.probing || health.ejectedUntilMs <= this.#clock.nowMs || (isDeaf && !health.deaf)
    if (!isNews || !(isDeaf || health.probing || health.failures >= failuresToEject)) return
    if (health.ejections === 0) this.#counters.add('endpointsEjected')
    this.#counters.add('endpointEjections')
    health.ejections++
    health.deaf = isDeaf
    health.probing = false
    this.#avoid(health, Math.min(longestEjectionMs, firstEjectionMs * 2 ** Math.min(health.ejections - 1, 10)))
  }

  /** A response began, or nobody needs the endpoint any more. */
  forget(endpoint: Judged): void {
    if (endpoint.health === undefined) return
    if (endpoint.health.ejections > 0) this.#counters.add('endpointsEjected', -1)
    endpoint.health = undefined
    this.#version++
  }

  #avoid(health: EndpointHealth, forMs: number): void {
    health.ejectedUntilMs = this.#clock.nowMs + forMs
    this.#latestEndMs = Math.max(this.#latestEndMs, health.ejectedUntilMs)
    this.#version++
  }
}
