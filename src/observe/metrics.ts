/**
 * A small metrics registry and its text exposition (Prometheus text format 0.0.4).
 *
 * Metrics are declared as rows of one table, so that name, help and labels stand in one place; the registry refuses a
 * label that the row does not name and stops at a bound of series, so that no input can grow it without end.
 */

export interface MetricRow {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** Full name with its unit, as in `..._seconds` or `..._total`. */
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of a histogram, ascending, without +Inf. */
  readonly buckets?: readonly number[]
}

export type MetricTable = Readonly<Record<string, MetricRow>>
export type Labels = Readonly<Record<string, string>>

/** Series of one metric; a label set beyond it goes to `ingress_fleet_metric_series_dropped_total`. */
const maxSeriesPerMetric = 10_000

interface Series {
  readonly labels: string
  value: number
  readonly bucketCounts: number[] | undefined
  count: number
}

export class Metrics<Table extends MetricTable> {
  readonly #table: Table
  readonly #series: Map<keyof Table, Map<string, Series>>
  readonly #collectors: (() => void | Promise<void>)[] = []
  #dropped = 0

  constructor(table: Table) {
    this.#table = table
    this.#series = new Map(Object.keys(table).map(id => [id, new Map<string, Series>()]))
  }

  /** Adds to a counter or gauge. */
  add(id: keyof Table, labels: Labels = {}, by = 1): void {
    const series = this.#at(id, labels)
    if (series !== undefined) series.value += by
  }

  /** Sets a gauge, or a counter that is kept elsewhere and only shown here. */
  set(id: keyof Table, value: number, labels: Labels = {}): void {
    const series = this.#at(id, labels)
    if (series !== undefined) series.value = value
  }

  /** Records one value of a histogram. */
  observe(id: keyof Table, value: number, labels: Labels = {}): void {
    const series = this.#at(id, labels)
    if (series?.bucketCounts === undefined) return
    series.value += value
    series.count++
    const index = (this.#table[id]?.buckets ?? []).findIndex(bound => value <= bound)
    if (index >= 0) series.bucketCounts[index] = (series.bucketCounts[index] ?? 0) + 1
  }

  /** Forgets every series of a metric, as before a collector writes the present ones. */
  clear(id: keyof Table): void {
    this.#series.get(id)?.clear()
  }

  /** Called before each exposition, to read values that live elsewhere. */
  collect(collector: () => void | Promise<void>): void {
    this.#collectors.push(collector)
  }

  /** The text that a scrape gets. A collector that fails costs its own values only. */
  async exposition(): Promise<string> {
    await Promise.allSettled(this.#collectors.map(async collector => collector()))
    const blocks = Object.entries(this.#table).map(([id, row]) => expose(row, this.#series.get(id) ?? new Map()))
    const dropped = 'ingress_fleet_metric_series_dropped_total'
    blocks.push(
      `# HELP ${dropped} values not recorded because a metric had too many series\n# TYPE ${dropped} counter\n`,
    )
    blocks.push(`${dropped} ${this.#dropped}\n`)
    return blocks.join('')
  }

  #at(id: keyof Table, labels: Labels): Series | undefined {
    const row = this.#table[id]
    const known = this.#series.get(id)
    if (row === undefined || known === undefined) throw new Error(`metric ${String(id)} is not in the table`)
    const key = row.labels.map(name => `${name}="${escapeLabel(labels[name] ?? '')}"`).join(',')
    const found = known.get(key)
    if (found !== undefined) return found
    const stray = Object.keys(labels).find(name => !row.labels.includes(name))
    if (stray !== undefined) throw new Error(`metric ${row.name} has no label ${stray}`)
    if (known.size >= maxSeriesPerMetric) {
      this.#dropped++
      return undefined
    }
    const bucketCounts = row.kind === 'histogram' ? (row.buckets ?? []).map(() => 0) : undefined
    const series: Series = { labels: key, value: 0, bucketCounts, count: 0 }
    known.set(key, series)
    return series
  }
}

function expose(row: MetricRow, series: ReadonlyMap<string, Series>): string {
  const lines = [`# HELP ${row.name} ${escapeHelp(row.help)}`, `# TYPE ${row.name} ${row.kind}`]
  for (const one of series.values()) {
    if (one.bucketCounts === undefined) lines.push(`${row.name}${braces(one.labels)} ${one.value}`)
    else lines.push(...exposeHistogram(row, one, one.bucketCounts))
  }
  return `${lines.join('\n')}\n`
}

function exposeHistogram(row: MetricRow, series: Series, counts: readonly number[]): string[] {
  const prefix = series.labels === '' ? '' : `${series.labels},`
  let cumulative = 0
  const lines = (row.buckets ?? []).map((bound, index) => {
    cumulative += counts[index] ?? 0
    return `${row.name}_bucket{${prefix}le="${bound}"} ${cumulative}`
  })
  lines.push(`${row.name}_bucket{${prefix}le="+Inf"} ${series.count}`)
  lines.push(`${row.name}_sum${braces(series.labels)} ${series.value}`)
  lines.push(`${row.name}_count${braces(series.labels)} ${series.count}`)
  return lines
}

function braces(labels: string): string {
  return labels === '' ? '' : `{${labels}}`
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function escapeHelp(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}
