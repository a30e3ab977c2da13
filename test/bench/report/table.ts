import type { Figure, Figures } from '../figures/figure.ts'
import type { JudgedRequirement } from '../figures/verdict.ts'
import type { WorkloadResult } from './results.ts'

/** Rows of text cells, the first of which is the head. */
export type Table = readonly (readonly string[])[]

/** For a terminal: columns as wide as their longest cell. */
export function plainTable(table: Table): string {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map(row => (row[column] ?? '').length)))
  return table
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function markdownTable(table: Table): string {
  const [head = [], ...rows] = table
  const line = (cells: readonly string[]): string => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

export function requirementTable(requirements: readonly JudgedRequirement[]): Table {
  return [
    ['what', 'measured', 'min – max', '95 %', 'must', 'aim', 'verdict'],
    ...requirements.map(({ what, unit, must, aim, measured, verdict }) => [
      what,
      measured === undefined ? '–' : withUnit(numberText(measured.median), unit),
      measured === undefined ? '–' : rangeOf(measured),
      measured === undefined ? '–' : intervalOf(measured),
      `≤ ${withUnit(String(must), unit)}`,
      `≤ ${withUnit(String(aim), unit)}`,
      verdict,
    ]),
  ]
}

/** More figures than this are rows, not columns. */
const maxColumns = 8

/** Each figure of each contender, one row a contender; or one row a figure, when there are many. */
export function measurementTable({ measurements }: Figures): Table {
  const names = [...new Set(measurements.map(({ name, unit }) => headOf(name, unit)))]
  const contenders = [...new Set(measurements.map(one => one.contender))]
  const cell = (contender: string, name: string): string => {
    const found = measurements.find(one => one.contender === contender && headOf(one.name, one.unit) === name)
    return found === undefined ? '' : numberText(found.figure.median)
  }
  if (names.length > maxColumns)
    return [['', ...contenders], ...names.map(name => [name, ...contenders.map(contender => cell(contender, name))])]
  return [['', ...names], ...contenders.map(contender => [contender, ...names.map(name => cell(contender, name))])]
}

/** Each figure compared, one row a pair. */
export function ratioTable({ ratios }: Figures): Table {
  const names = [...new Set(ratios.map(one => one.name))]
  const pairs = [...new Set(ratios.map(({ of, to }) => pairText(of, to)))]
  return [
    ['ratio', ...names],
    ...pairs.map(pair => [
      pair,
      ...names.map(name => {
        const found = ratios.find(one => pairText(one.of, one.to) === pair && one.name === name)
        return found === undefined ? '' : `${numberText(found.figure.median)} (${rangeOf(found.figure)})`
      }),
    ]),
  ]
}

/** Every ratio of every workload, for the end of a run. */
export function summaryTable(workloads: readonly WorkloadResult[]): Table {
  const rows = workloads.flatMap(({ name, figures }) =>
    figures.ratios.map(ratio => [
      name,
      ratio.name,
      pairText(ratio.of, ratio.to),
      numberText(ratio.figure.median),
      rangeOf(ratio.figure),
      intervalOf(ratio.figure),
    ]),
  )
  return [['workload', 'figure', 'of / to', 'ratio', 'min – max', '95 %'], ...rows]
}

function headOf(name: string, unit: string): string {
  return unit === '' ? name : `${name}, ${unit}`
}

function pairText(of: string, to: string): string {
  return `${of} / ${to}`
}

function rangeOf({ min, max }: Figure): string {
  return `${numberText(min)} – ${numberText(max)}`
}

function intervalOf({ low, high }: Figure): string {
  return `${numberText(low)} – ${numberText(high)}`
}

function withUnit(text: string, unit: string): string {
  return unit === '' ? text : `${text} ${unit}`
}

/** Three digits, without exponents. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return Math.abs(value) >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)))
}
