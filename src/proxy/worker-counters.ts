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
  connectionsOpen: { kind: 'gauge', help: 'client connections open' },
  tlsHandshakesFailed: { kind: 'counter', help: 'TLS handshakes that failed' },
  tlsHandshakesDropped: {
    kind: 'counter',
    help: 'TLS handshakes ended to make room for others, because too many were under way',
  },
  certificatesRejected: { kind: 'counter', help: 'certificates that could not be loaded when they were needed' },
  requests: { kind: 'counter', help: 'requests finished' },
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
  upstreamOpen: { kind: 'gauge', help: 'connections to endpoints open' },
  upstreamIdle: { kind: 'gauge', help: 'connections to endpoints kept for the next request' },
  logLinesDropped: { kind: 'counter', help: 'access log lines dropped because stdout was not read' },
} as const satisfies Record<string, CounterRow>

export type CounterName = keyof typeof counterRows
export type CounterValues = { readonly [Name in CounterName]: number } & {
  readonly errors: { readonly [Code in ProxyErrorCode]: number }
}

const names = Object.keys(counterRows) as readonly CounterName[]
const slots = new Map<string, number>([...names, ...proxyErrorCodes.map(errorSlot)].map((name, index) => [name, index]))

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

  fail(code: ProxyErrorCode): void {
    const at = this.#errorIndex[code]
    this.#values[at] = (this.#values[at] ?? 0) + 1
  }

  /** After the worker died: what it held open is gone. */
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
