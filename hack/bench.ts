// Measures the built proxy beside nginx, HAProxy and Caddy: `make bench`, with ONLY=name,name and QUICK=1.
import { writeFileSync } from 'node:fs'
import { benchmarksPage, pageFile } from '../test/bench/report/page.ts'
import { mergeResults, readResults, writeResults } from '../test/bench/report/results.ts'
import { plainTable, requirementTable, summaryTable } from '../test/bench/report/table.ts'
import { type BenchRun, MissingProgram, runBench } from '../test/bench/run-bench.ts'
import { workloads } from '../test/bench/workloads/index.ts'

// What was started is ended when this process exits, so a signal is a reason to exit.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))

const only = (process.env['ONLY'] ?? '').split(',').filter(name => name !== '')
const quick = (process.env['QUICK'] ?? '') !== ''

try {
  finish(await runBench({ only, quick, print: line => console.log(line) }))
} catch (error) {
  if (!(error instanceof MissingProgram)) throw error
  console.error(error.message)
  process.exit(1)
}

function finish({ machine, workloads: done, broken }: BenchRun): void {
  console.log(`\n${plainTable(summaryTable(done))}\n`)
  console.log(plainTable(requirementTable(done.flatMap(workload => workload.requirements))))
  const failed = done.flatMap(({ name, figures }) => figures.failures.map(failure => ({ name, ...failure })))
  for (const { name, contender, count, what } of failed) console.log(`${name}: ${contender} failed ${count} × ${what}`)
  for (const reason of broken) console.log(`not measured: ${reason}`)
  if (quick) console.log('a quick run: nothing is written')
  else record({ machine, workloads: done })
  process.exit(broken.length > 0 || failed.some(({ contender }) => contender.startsWith('ours')) ? 1 : 0)
}

function record(fresh: Pick<BenchRun, 'machine' | 'workloads'>): void {
  const order = workloads.map(({ name }) => name)
  const results = mergeResults(readResults(), fresh, order)
  writeResults(results)
  writeFileSync(pageFile, benchmarksPage(results))
  console.log('wrote test/bench/results/latest.json and docs/benchmarks.md')
}
