import { type MetricRow, Metrics, type MetricTable } from '../observe/metrics.ts'
import type { Proxy } from '../proxy/proxy.ts'
import { counterRows } from '../proxy/worker-counters.ts'

const prefix = 'ingress_fleet_proxy'

const ownRows = {
  workers: { kind: 'gauge', name: `${prefix}_workers`, help: 'data workers wanted', labels: [] },
  workersServing: { kind: 'gauge', name: `${prefix}_workers_serving`, help: 'data workers that serve', labels: [] },
  workersLost: {
    kind: 'counter',
    name: `${prefix}_workers_lost_total`,
    help: 'data workers that ended unasked',
    labels: [],
  },
  servedRevision: {
    kind: 'gauge',
    name: `${prefix}_served_revision`,
    help: 'revision of the configuration that every data worker serves',
    labels: [],
  },
  memoryIsOver: {
    kind: 'gauge',
    name: `${prefix}_memory_over_high_water_mark`,
    help: '1 while memory is over its high-water mark and new requests get 503',
    labels: [],
  },
  memoryEpisodes: {
    kind: 'counter',
    name: `${prefix}_memory_over_high_water_mark_total`,
    help: 'times that memory went over its high-water mark',
    labels: [],
  },
  errors: {
    kind: 'counter',
    name: `${prefix}_request_errors_total`,
    help: 'requests that the proxy could not serve, by its own code of the error',
    labels: ['code'],
  },
} as const satisfies Record<string, MetricRow>

/** The counters of the data workers, one metric a row of their table. */
const counterMetrics = Object.fromEntries(
  Object.entries(counterRows).map(([counter, { kind, help }]): [string, MetricRow] => [
    counter,
    { kind, name: `${prefix}_${snakeCase(counter)}${kind === 'counter' ? '_total' : ''}`, help, labels: [] },
  ]),
)

export const proxyMetricRows: MetricTable = { ...ownRows, ...counterMetrics }

/** Metrics of a proxy, read from its workers' shared memory when they are asked for. */
export function createProxyMetrics(proxy: Proxy): Metrics<MetricTable> {
  const metrics = new Metrics<MetricTable>(proxyMetricRows)
  metrics.collect(() => {
    const { errors, ...values } = proxy.stats()
    for (const [name, value] of Object.entries(values)) metrics.set(name, value)
    for (const [code, value] of Object.entries(errors)) metrics.set('errors', value, { code })
  })
  return metrics
}

function snakeCase(name: string): string {
  return name
    .replace(/Ms$/, 'Milliseconds')
    .replaceAll(/([a-z])([A-Z0-9])/g, '$1_$2')
    .toLowerCase()
}
