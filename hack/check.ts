// Runs every static check, all of them even when one fails, and says which failed.
import { spawnSync } from 'node:child_process'

const checks: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['format', 'biome', 'check', '--error-on-warnings', '.'],
  ['lint', 'oxlint', '--type-aware', '--deny-warnings'],
  ['types', 'tsc', '-p', '.'],
  ['layers', 'node', 'hack/check-layers.ts'],
  ['generated files', 'node', 'hack/generate.ts', '--check'],
  ['lockfile', 'node', 'hack/complete-lockfile.ts', '--check'],
  ['dead code', 'knip', '--no-progress'],
  ['docs', 'node', 'hack/check-docs.ts'],
]

const failed: string[] = []
for (const [name, command, ...args] of checks) {
  const started = performance.now()
  const result = spawnSync(command, args, { encoding: 'utf8', shell: false })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (result.status === 0) {
    console.log(`ok      ${name} (${seconds} s)`)
    continue
  }
  failed.push(name)
  console.log(`FAILED  ${name} (${seconds} s): ${[command, ...args].join(' ')}`)
  console.log(result.error ? result.error.message : `${result.stdout}${result.stderr}`)
}
console.log(`${checks.length - failed.length} passed, ${failed.length} failed`)
process.exitCode = failed.length > 0 ? 1 : 0
