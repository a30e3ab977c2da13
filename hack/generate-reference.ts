// The pages of docs/reference that are printed from tables in the code. Called by hack/generate.ts.

import { conditionReasons } from '../src/api/conditions.ts'
import { operatorMetricRows } from '../src/cli/operator-metrics.ts'
import { proxyMetricRows } from '../src/cli/proxy-metrics.ts'
import type { MetricTable } from '../src/observe/metrics.ts'
import { proxyErrors } from '../src/proxy/errors.ts'
import { annotations } from '../src/routing/annotations.ts'
import { ineffectiveConfigMapKeys, unprotectedConfigMapKeys } from '../src/routing/configmap-keys.ts'
import { configMapSettings } from '../src/routing/configmap-settings.ts'

const notice = (source: string): string => `<!-- Generated from ${source} by \`make generate\`. Do not edit. -->`

export function referencePages(): Record<string, string> {
  return {
    'docs/reference/annotations.md': annotationsPage(),
    'docs/reference/configmap.md': configMapPage(),
    'docs/reference/conditions.md': conditionsPage(),
    'docs/reference/errors.md': errorsPage(),
    'docs/reference/metrics.md': metricsPage(),
  }
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line), '']
}

function annotationsPage(): string {
  const effects = {
    honoured: 'does what it says',
    ignored: 'ignored; nothing is lost',
    unsupported: 'not supported: served without it, with an Event',
    refused: 'not supported: the routes answer 503, with an Event',
    skipped: 'not supported: the Ingress is not served, with an Event',
  } as const
  return [
    '# Annotations of Ingresses',
    '',
    notice('src/routing/annotations.ts'),
    '',
    'Keys are those of ingress-nginx, with its prefix `nginx.ingress.kubernetes.io/`. What would protect a route and is',
    'not supported, or has a value that can not be read, closes the route instead of leaving it open.',
    '',
    ...table(
      ['annotation', 'what it is about', 'here', 'allowed values', 'risk'],
      annotations.map(row => [
        [row.key, ...('aliases' in row ? row.aliases : [])].map(key => `\`${key}\``).join(', '),
        row.doc,
        effects[row.effect],
        row.effect !== 'honoured' && row.allowed !== '' ? `only ${row.allowed} (no effect)` : row.allowed,
        row.risk,
      ]),
    ),
  ].join('\n')
}

function configMapPage(): string {
  return [
    '# Keys of the ingress-nginx ConfigMap',
    '',
    notice('src/routing/configmap-settings.ts and configmap-keys.ts'),
    '',
    'They go to `spec.configuration.ingressNginx` of an IngressDeployment, or to a ConfigMap with `serve --configmap`.',
    '',
    '## Keys that do what they say',
    '',
    ...table(
      ['key', 'what it sets', 'allowed values'],
      [...configMapSettings.values()].map(row => [`\`${row.key}\``, row.doc, row.allowed]),
    ),
    '## Keys that protect requests there and not here',
    '',
    'They are reported, each with what to do instead.',
    '',
    ...table(
      ['key', 'what it is about', 'instead'],
      [...unprotectedConfigMapKeys].map(([key, row]) => [`\`${key}\``, row.doc, row.instead]),
    ),
    '## Keys without effect',
    '',
    `${[...ineffectiveConfigMapKeys].map(key => `\`${key}\``).join(', ')}.`,
    '',
  ].join('\n')
}

function conditionsPage(): string {
  return [
    '# Conditions of an IngressDeployment',
    '',
    notice('src/api/conditions.ts'),
    '',
    'Reasons are stable: programs may compare them. Each condition carries `observedGeneration`, so',
    '`kubectl wait --for=condition=Ready igd/NAME` waits for the newest spec.',
    '',
    ...table(
      ['condition', 'reasons'],
      Object.entries(conditionReasons).map(([type, reasons]) => [
        `\`${type}\``,
        reasons.map(reason => `\`${reason}\``).join(', '),
      ]),
    ),
  ].join('\n')
}

function errorsPage(): string {
  return [
    '# Answers that the proxy gives by itself',
    '',
    notice('src/proxy/errors.ts'),
    '',
    'The code is in the metrics and in the JSON access log. `retry` says when another endpoint is tried first.',
    '',
    ...table(
      ['code', 'status', 'whose fault', 'retry'],
      Object.entries(proxyErrors).map(([code, row]) => [`\`${code}\``, String(row.status), row.side, row.retry]),
    ),
  ].join('\n')
}

function metricsPage(): string {
  const rows = (metrics: MetricTable): string[] =>
    table(
      ['metric', 'kind', 'labels', 'what'],
      Object.values(metrics).map(row => [`\`${row.name}\``, row.kind, row.labels.join(', '), row.help]),
    )
  return [
    '# Metrics',
    '',
    notice('src/cli/proxy-metrics.ts and operator-metrics.ts'),
    '',
    'In the Prometheus text format at `/metrics`.',
    '',
    '## Proxy, port 10254',
    '',
    ...rows(proxyMetricRows),
    '## Operator',
    '',
    ...rows(operatorMetricRows),
  ].join('\n')
}
