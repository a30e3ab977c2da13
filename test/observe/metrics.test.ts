import { expect, test } from 'vitest'
import { Metrics, type MetricTable } from '../../src/observe/metrics.ts'

const table = {
  requests: { kind: 'counter', name: 'requests_total', help: 'requests\nserved', labels: ['status', 'host'] },
  open: { kind: 'gauge', name: 'connections_open', help: 'open connections', labels: [] },
  duration: { kind: 'histogram', name: 'request_seconds', help: 'time', labels: ['host'], buckets: [0.1, 1] },
} as const satisfies MetricTable

test('the text is in the exposition format, with help and type before each metric', async () => {
  const metrics = new Metrics(table)
  metrics.add('requests', { status: '200', host: 'a"b\\c\nd' })
  metrics.add('requests', { status: '200', host: 'a"b\\c\nd' }, 2)
  metrics.set('open', 4)
  metrics.observe('duration', 0.05, { host: 'a' })
  metrics.observe('duration', 0.1, { host: 'a' })
  metrics.observe('duration', 5, { host: 'a' })
  expect((await metrics.exposition()).split('\n')).toEqual([
    '# HELP requests_total requests\\nserved',
    '# TYPE requests_total counter',
    'requests_total{status="200",host="a\\"b\\\\c\\nd"} 3',
    '# HELP connections_open open connections',
    '# TYPE connections_open gauge',
    'connections_open 4',
    '# HELP request_seconds time',
    '# TYPE request_seconds histogram',
    'request_seconds_bucket{host="a",le="0.1"} 2',
    'request_seconds_bucket{host="a",le="1"} 2',
    'request_seconds_bucket{host="a",le="+Inf"} 3',
    'request_seconds_sum{host="a"} 5.15',
    'request_seconds_count{host="a"} 3',
    '# HELP ingress_fleet_metric_series_dropped_total values not recorded because a metric had too many series',
    '# TYPE ingress_fleet_metric_series_dropped_total counter',
    'ingress_fleet_metric_series_dropped_total 0',
    '',
  ])
})

test('a label that the row does not name is a mistake', () => {
  expect(() => new Metrics(table).add('open', { host: 'a' })).toThrow('has no label host')
})

test('series of one metric are bounded, and what is dropped is counted', async () => {
  const metrics = new Metrics(table)
  for (let index = 0; index < 10_010; index++) metrics.add('requests', { host: `h${index}` })
  const text = await metrics.exposition()
  expect(text.match(/^requests_total\{/gm)).toHaveLength(10_000)
  expect(text).toContain('ingress_fleet_metric_series_dropped_total 10\n')
})

test('collectors run before each exposition, and one that fails costs its own values only', async () => {
  const metrics = new Metrics(table)
  let value = 0
  metrics.collect(() => metrics.set('open', ++value))
  metrics.collect(async () => {
    throw new Error('unreachable')
  })
  expect(await metrics.exposition()).toContain('connections_open 1\n')
  expect(await metrics.exposition()).toContain('connections_open 2\n')
  metrics.clear('open')
  expect(await metrics.exposition()).toContain('connections_open 3\n')
})
