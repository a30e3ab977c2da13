import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { figureOf } from '../figures/statistics.ts'
import { judge } from '../figures/verdict.ts'
import { benchmarksPage } from './page.ts'
import { mergeResults, type Results, readResults, type WorkloadResult, writeResults } from './results.ts'

const machine = {
  processors: 2,
  model: 'A processor',
  memoryGiB: 8,
  kernel: '6.1.0',
  distribution: 'Debian',
  versions: { node: '26.0.0', nginx: '1.22.1' },
}

function workload(name: string, ratio: number): WorkloadResult {
  const figures = {
    measurements: [{ contender: 'ours', name: 'CPU per request', unit: 'µs', figure: figureOf([ratio * 10]) }],
    ratios: [{ name: 'CPU per request', of: 'ours', to: 'nginx', figure: figureOf([ratio, ratio + 0.02]) }],
    failures: [],
    remarks: [],
  }
  const measured = () => figures.ratios[0]?.figure
  const requirements = [judge({ what: `${name} vs nginx`, unit: '', must: 1.3, aim: 1.05, measured }, figures)]
  return {
    name,
    what: 'What is done.',
    day: '2026-01-05',
    seconds: 60,
    loadBefore: 0.1,
    stolenPercent: 0.1,
    requirements,
    figures,
  }
}

const order = ['small', 'tls']
const known: Results = { machine, workloads: [workload('small', 1.1), workload('tls', 1.2)] }

test('a run of some workloads keeps the results of the others, in the order of the table', () => {
  const merged = mergeResults(known, { machine, workloads: [workload('small', 1.5)] }, order)
  expect(merged.workloads.map(({ name }) => name)).toEqual(order)
  expect(merged.workloads[0]?.requirements[0]?.verdict).toBe('missed')
})

test('results of another machine, and of workloads that are gone, are not kept', () => {
  const other = { ...machine, kernel: '6.2.0' }
  expect(mergeResults(known, { machine: other, workloads: [workload('tls', 1)] }, order).workloads).toHaveLength(1)
  expect(mergeResults(known, { machine, workloads: [] }, ['tls']).workloads.map(({ name }) => name)).toEqual(['tls'])
})

test('what is written is read again as it was', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingress-fleet-results-'))
  try {
    const file = join(folder, 'deeper', 'latest.json')
    expect(readResults(file)).toBeUndefined()
    writeResults(known, file)
    expect(readResults(file)).toEqual(known)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the page shows each requirement with its verdict and each ratio with its spread', () => {
  const page = benchmarksPage(known)
  expect(page).toContain('| small vs nginx | 1.11 | 1.1 – 1.12 | 1.1 – 1.12 | ≤ 1.3 | ≤ 1.05 | must met |')
  expect(page).toContain('| ours / nginx | 1.21 (1.2 – 1.22) |')
  expect(page).toContain('Debian, Linux 6.1.0')
  expect(page).toContain('No request failed.')
})

test('many figures of few contenders stand below one another', () => {
  const [first] = known.workloads
  if (first === undefined) throw new Error('there is no workload')
  const measurements = Array.from({ length: 9 }, (_, index) => ({
    contender: 'ours',
    name: `figure ${index}`,
    unit: 'ms',
    figure: figureOf([index]),
  }))
  const page = benchmarksPage({ machine, workloads: [{ ...first, figures: { ...first.figures, measurements } }] })
  expect(page).toContain('| figure 8, ms | 8 |')
})

test('failed requests stand on the page', () => {
  const [first] = known.workloads
  if (first === undefined) throw new Error('there is no workload')
  const failures = [{ contender: 'ours', count: 3, what: 'status' }]
  const page = benchmarksPage({ machine, workloads: [{ ...first, figures: { ...first.figures, failures } }] })
  expect(page).toContain('- ours: 3 × status')
  expect(page).not.toContain('No request failed.')
})
