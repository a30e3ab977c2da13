// Nanoseconds per call of each hot function, beside the figures saved last: `make bench-micro`. ONLY=text picks the
// functions whose name holds it; SAVE=1 keeps the figures of this run, on this machine only, to compare with.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { microCases } from '../test/bench/micro/index.ts'
import { type MicroFigure, measure } from '../test/bench/micro/measure.ts'
import { numberText, plainTable } from '../test/bench/report/table.ts'

const file = join(import.meta.dirname, '../.cache/bench-micro.json')
const only = process.env['ONLY'] ?? ''
const saved = readSaved()
const cases = microCases().filter(({ name }) => name.toLowerCase().includes(only.toLowerCase()))
if (cases.length === 0) {
  console.error(
    `no function has "${only}" in its name; there are ${microCases()
      .map(one => one.name)
      .join(', ')}`,
  )
  process.exit(1)
}

const rows: string[][] = [['function', 'ns per call', 'min – max', 'bytes per call', 'against the last saved']]
const figures: Record<string, MicroFigure> = {}
for (const one of cases) {
  const figure = measure(one)
  figures[one.name] = figure
  rows.push(rowOf(one.name, figure))
}
console.log(plainTable(rows))
if (process.env['SAVE'] === '1' || !existsSync(file)) {
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, `${JSON.stringify({ ...saved, ...figures }, null, 2)}\n`)
  console.log('saved to compare with')
}

function rowOf(name: string, { nsPerCall, minNs, maxNs, bytesPerCall }: MicroFigure): string[] {
  const before = saved[name]
  const bytes = bytesPerCall === undefined ? '–' : String(bytesPerCall)
  return [
    name,
    numberText(nsPerCall),
    `${numberText(minNs)} – ${numberText(maxNs)}`,
    bytes,
    comparison(before, nsPerCall),
  ]
}

function comparison(before: MicroFigure | undefined, nsPerCall: number): string {
  if (before === undefined) return '–'
  const percent = (nsPerCall / before.nsPerCall - 1) * 100
  const isInside = nsPerCall >= before.minNs && nsPerCall <= before.maxNs
  return `${percent >= 0 ? '+' : ''}${percent.toFixed(0)} %${isInside ? ', within its spread' : ''}`
}

function readSaved(): Readonly<Record<string, MicroFigure>> {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, MicroFigure>) : {}
}
