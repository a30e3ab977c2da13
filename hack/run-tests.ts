// Runs vitest projects one after another and ends with one line: `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Report {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: { status: string; name: string; message: string; assertionResults: unknown[] }[]
}

const projects = process.argv.slice(2)
const directory = mkdtempSync(join(tmpdir(), 'ingress-fleet-tests-'))
const total = { passed: 0, failed: 0, skipped: 0 }
const remarks: string[] = []
for (const project of projects) {
  console.log(`\n=== ${project} tests`)
  const file = join(directory, `${project}.json`)
  const result = spawnSync(
    'vitest',
    ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
    { stdio: 'inherit' },
  )
  count(project, file, result.status ?? 1)
}
rmSync(directory, { recursive: true })
for (const remark of remarks) console.log(remark)
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`)
process.exitCode = total.failed > 0 ? 1 : 0

function count(project: string, file: string, status: number): void {
  let report: Report
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch {
    total.failed += 1
    remarks.push(`${project}: vitest ended with status ${status} and wrote no report`)
    return
  }
  total.passed += report.numPassedTests
  total.failed += report.numFailedTests
  total.skipped += report.numPendingTests + report.numTodoTests
  // A file that fails before its first test counts no failed test of its own.
  const broken = report.testResults.filter(result => result.status === 'failed' && result.assertionResults.length === 0)
  total.failed += broken.length
  if (status !== 0 && report.numFailedTests + broken.length === 0) {
    total.failed += 1
    remarks.push(`${project}: vitest ended with status ${status} though no test failed (see above)`)
  }
}
