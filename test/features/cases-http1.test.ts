import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { beforeAll, expect, test } from 'vitest'
import { readCaseFile } from '../../hack/cases/case-file.ts'
import { failureLine } from '../../hack/cases/report.ts'
import { type CaseResult, isAbout } from '../../hack/cases/run-all.ts'

const root = join(import.meta.dirname, '..', '..')
const caseFiles = ['http1.yaml', 'http1-more.yaml'].map(name => join(root, 'test', 'cases', name))
const cases = caseFiles.flatMap(readCaseFile)
const run = cases.filter(one => one.kind !== 'unrun')

interface Run {
  readonly exitCode: number | null
  readonly output: string
  readonly errors: string
}

async function runCases(...words: readonly string[]): Promise<Run> {
  const child = spawn(process.execPath, [join(root, 'hack', 'run-cases.ts'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
  await exited
  return { exitCode: child.exitCode, output, errors }
}

let results: readonly CaseResult[] = []

beforeAll(async () => {
  const { output, errors } = await runCases(...caseFiles, '--listener', 'both', '--json')
  if (output === '') throw new Error(`the runner printed no results: ${errors}`)
  results = (JSON.parse(output) as { results: readonly CaseResult[] }).results
}, 300_000)

test('every case of the files is understood and run on both listeners, but those that are about one', () => {
  expect(cases.filter(one => one.kind === 'unrun' && one.failed)).toEqual([])
  for (const listener of ['clear', 'tls'] as const) {
    const ids = results.filter(one => one.listener === listener).map(one => one.id)
    const about = run.filter(one => isAbout(one, listener))
    expect(ids.sort()).toEqual(about.map(one => one.id).sort())
    expect(run.length - about.length).toBeLessThan(10)
  }
})

test.each([...new Set(run.map(one => one.group))])('the built proxy does what the cases of group %s ask for', group => {
  const failed = results.filter(one => one.group === group && one.status === 'failed')
  expect(failed.map(failureLine)).toEqual([])
})

test('the runner fails a case whose expectation the proxy does not meet, and says what came', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingress-fleet-wrong-cases-'))
  const file = join(folder, 'wrong.yaml')
  const raw = String.raw`"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n"`
  const text = { group: 'wrong', level: 'MUST', rfc: '9112', why: 'wrong on purpose' }
  const wrong = [
    { id: 'refused', expect: 'reject', status: [400] },
    { id: 'canary', expect: 'forward', never: ['/x'] },
    { id: 'elsewhere', expect: 'forward', up: { target: '/y' } },
    { id: 'unknown-key', expect: 'forward', up: { colour: 'red' } },
  ].map(one => `- {raw: ${raw}, ${JSON.stringify({ ...one, ...text }).slice(1)}`)
  try {
    writeFileSync(file, `cases:\n${wrong.join('\n')}\n`)
    const { exitCode, output, errors } = await runCases(file)
    expect(errors).toBe('')
    expect(exitCode).toBe(1)
    expect(output).toMatch(/^FAILED refused .*expected reject 400.*client got 200 of the upstream/m)
    expect(output).toMatch(/^FAILED canary .*HARD FAILURE.*the canary "\/x" reached the upstream as a request/m)
    expect(output).toMatch(/^FAILED elsewhere .*target "\/x", not "\/y"/m)
    expect(output).toMatch(/^FAILED unknown-key .*not understood: up\.colour/m)
    expect(output.trimEnd().split('\n').at(-1)).toBe('0 passed, 4 failed, 0 skipped')
  } finally {
    rmSync(folder, { recursive: true })
  }
}, 60_000)
