import { type ProxyErrorCode, proxyErrorCodes } from './errors.ts'

/**
 * Numbers of one worker in shared memory: the worker alone writes, the control thread reads when asked, and what a
 * worker counted is still there when it dies. One row a number; `gauge` rows are set back when a worker is replaced.
 */

interface CounterRow {
  readonly kind: 'counter' | 'gauge'
  readonly help: string
}

export const counterRows = {
  connectionsAccepted: { kind: 'counter', help: 'client connections accepted' },
  connectionsRefused: { kind: 'counter', help: 'client connections closed at once because there were too many' },
  connectionsEvicted: {
    kind: 'counter',
    help: 'idle client connections closed to make room for new ones, or because memory was short',
  },
  connectionsOpen: { kind: 'gauge', help: 'client connections open' },
  tlsHandshakesFailed: { kind: 'counter', help: 'TLS handshakes that failed' },
  certificatesRejected: { kind: 'counter', help: 'certificates that could not be loaded when they were needed' },
  clockTicks: { kind: 'counter', help: 'turns of the event loops for the clock, ten a second each when all is well' },
  requests: { kind: 'counter', help: 'requests finished' },
  requestsLost: { kind: 'counter', help: 'requests that ended with their data worker, unanswered or in part' },
  requestsInFlight: { kind: 'gauge', help: 'requests being served' },
  responses1xx: { kind: 'counter', help: 'requests that ended as tunnels' },
  responses2xx: { kind: 'counter', help: 'responses with a status of 200 to 299' },
  responses3xx: { kind: 'counter', help: 'responses with a status of 300 to 399' },
  responses4xx: { kind: 'counter', help: 'responses with a status of 400 to 499' },
  responses5xx: { kind: 'counter', help: 'responses with a status of 500 to 599' },
  requestBytes: { kind: 'counter', help: 'bytes of request bodies received' },
  responseBytes: { kind: 'counter', help: 'bytes of response bodies sent' },
  requestMs: { kind: 'counter', help: 'milliseconds from head to finish, summed over requests' },
  tunnelsOpen: { kind: 'gauge', help: 'WebSocket tunnels open' },
  upstreamConnects: { kind: 'counter', help: 'connections opened to endpoints' },
  upstreamReuses: { kind: 'counter', help: 'requests sent on a kept connection' },
  upstreamRetries: { kind: 'counter', help: 'second and third attempts' },
  upstreamUnsolicited: { kind: 'counter', help: 'kept connections closed because the endpoint spoke unasked' },
  endpointEjections: { kind: 'counter', help: 'times that a failing endpoint was avoided for a while' },
  endpointsEjected: { kind: 'gauge', help: 'endpoints that failed and have not answered since' },
  upstreamOpen: { kind: 'gauge', help: 'connections to endpoints open' },
  upstreamIdle: { kind: 'gauge', help: 'connections to endpoints kept for the next request' },
  heapBytes: { kind: 'gauge', help: 'bytes of the JavaScript heaps of data workers' },
  heldBytes: { kind: 'gauge', help: 'bytes that data workers hold outside their heaps, by estimate' },
  logLinesDropped: { kind: 'counter', help: 'access log lines dropped because stdout was not read' },
} as const satisfies Record<string, CounterRow>

export type CounterName = keyof typeof counterRows
export type CounterValues = { readonly [Name in CounterName]: number } & {
  readonly errors: { readonly [Code in ProxyErrorCode]: number }
}

const names = Object.keys(counterRows) as readonly CounterName[]
const slots = new Map<string, number>([...names, ...proxyErrorCodes.map(errorSlot)].map((name, index) => [name, index]))

const placeOf = (name: CounterName): number => slots.get(name) ?? 0
const requestsAt = placeOf('requests')
const inFlightAt = placeOf('requestsInFlight')
/** Of `responses1xx`; the other classes follow it. */
const classAt = placeOf('responses1xx')
const requestBytesAt = placeOf('requestBytes')
const responseBytesAt = placeOf('responseBytes')
const requestMsAt = placeOf('requestMs')

export class WorkerCounters {
  readonly memory: SharedArrayBuffer
  readonly #values: Float64Array
  readonly #index: Readonly<Record<CounterName, number>>
  readonly #errorIndex: Readonly<Record<ProxyErrorCode, number>>

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(slots.size * Float64Array.BYTES_PER_ELEMENT)) {
    this.memory = memory
    this.#values = new Float64Array(memory)
    this.#index = indexOf(names, name => name)
    this.#errorIndex = indexOf(proxyErrorCodes, errorSlot)
  }

  add(name: CounterName, by = 1): void {
    const at = this.#index[name]
    this.#values[at] = (this.#values[at] ?? 0) + by
  }

  set(name: CounterName, value: number): void {
    this.#values[this.#index[name]] = value
  }

  // What every request counts, by its place and not by its name.

  startRequest(): void {
    this.#increase(inFlightAt, 1)
  }

  /** The number of requests comes last, so that who sees it sees the others, too. */
  finishRequest(status: number, requestBytes: number, responseBytes: number, requestMs: number): void {
    this.#increase(classAt + Math.max(0, Math.min(4, Math.floor(status / 100) - 1)), 1)
    this.#increase(requestBytesAt, requestBytes)
    this.#increase(responseBytesAt, responseBytes)
    this.#increase(requestMsAt, requestMs)
    this.#increase(requestsAt, 1)
    this.#increase(inFlightAt, -1)
  }

  #increase(at: number, by: number): void {
    this.#values[at] = (this.#values[at] as number) + by
  }

  fail(code: ProxyErrorCode): void {
    const at = this.#errorIndex[code]
    this.#values[at] = (this.#values[at] ?? 0) + 1
  }

  value(name: CounterName): number {
    return this.#values[this.#index[name]] ?? 0
  }

  /** After the worker died unasked: nobody else will count what it was serving. */
  loseRequests(): void {
    this.add('requestsLost', this.value('requestsInFlight'))
  }

  /** After the worker ended: what it held open is gone. */
  resetGauges(): void {
    for (const name of names) if (counterRows[name].kind === 'gauge') this.#values[this.#index[name]] = 0
  }

  /** Sums over workers. */
  static sum(all: readonly WorkerCounters[]): CounterValues {
    const total = (at: number): number => all.reduce((sum, one) => sum + (one.#values[at] ?? 0), 0)
    const errors = indexOf(proxyErrorCodes, errorSlot)
    return {
      ...(Object.fromEntries(names.map(name => [name, total(slots.get(name) ?? 0)])) as Record<CounterName, number>),
      errors: Object.fromEntries(proxyErrorCodes.map(code => [code, total(errors[code])])) as Record<
        ProxyErrorCode,
        number
      >,
    }
  }
}

function errorSlot(code: ProxyErrorCode): string {
  return `error ${code}`
}

function indexOf<Name extends string>(of: readonly Name[], slot: (name: Name) => string): Record<Name, number> {
  return Object.fromEntries(of.map(name => [name, slots.get(slot(name)) ?? 0])) as Record<Name, number>
}
