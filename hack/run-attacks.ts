// Runs the attacks of test/attacks and prints what each did to the proxy: `npm run attacks`, small as in `make test`, or
// `npm run attacks -- --full` with the sizes and the timeouts of real life, ten minutes.
import { spawnSync } from 'node:child_process'

const [option, ...others] = process.argv.slice(2)
if ((option !== undefined && option !== '--full') || others.length > 0) {
  console.error('usage: npm run attacks [-- --full]')
  process.exit(2)
}
const { status } = spawnSync('vitest', ['run', '--project', 'attacks', '--silent=false'], {
  stdio: 'inherit',
  env: { ...process.env, ATTACKS: option === '--full' ? 'full' : 'small' },
})
process.exitCode = status ?? 1
