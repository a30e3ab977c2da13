// Zero loss and soak at full size, against the built program: node hack/soak.ts [--minutes N] [--requests N] [--rate N] [--only PART]
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runClosingPods } from '../test/soak/closing-pods.ts'
import { runSoak } from '../test/soak/soak-run.ts'
import { judgeClosingPods, judgeSoak, judgeZeroLoss, type Verdict } from '../test/soak/verdicts.ts'
import { runZeroLoss } from '../test/soak/zero-loss.ts'

/**
 * --requests N   requests of the zero-loss run
 * --rate N       requests a second
 * --minutes N    length of the soak
 * --only PART    only zero-loss, closing-pods or soak; may be repeated
 */
const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '200000' },
    rate: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '60' },
    only: { type: 'string', multiple: true },
  },
})
const requests = Number(values.requests)
const ratePerSecond = Number(values.rate)
const program = join(import.meta.dirname, '..', 'dist', 'ingress-fleet.js')
const startedMs = performance.now()
const onProgress = (text: string): void => console.log(`  ${seconds()} s  ${text}`)

const parts: Readonly<Record<string, () => Promise<Verdict>>> = {
  'zero-loss': async () => {
    const plan = {
      program,
      requests,
      ratePerSecond,
      // For 200,000 requests: 1,000 of each, 100 and 10.
      endpointChanges: Math.ceil(requests / 200),
      routeChanges: Math.ceil(requests / 200),
      certificateSwaps: Math.ceil(requests / 2_000),
      workerKills: Math.ceil(requests / 20_000),
      restarts: Math.ceil(requests / 20_000),
      onProgress,
    }
    return judgeZeroLoss(plan, await runZeroLoss(plan))
  },
  'closing-pods': async () =>
    judgeClosingPods(
      await runClosingPods({
        program,
        requests: Math.ceil(requests / 4),
        ratePerSecond,
        closesPerSecond: 100,
        suddenEnds: Math.ceil(requests / 1_000),
      }),
    ),
  soak: async () => {
    const durationMs = Number(values.minutes) * 60_000
    return judgeSoak(
      await runSoak({
        program,
        durationMs,
        warmUpMs: Math.min(durationMs / 4, 5 * 60_000),
        sampleMs: Math.min(durationMs / 60, 30_000),
        ratePerSecond: ratePerSecond / 2,
        changesPerSecond: 5,
        rudePerSecond: 30,
        onProgress,
      }),
      0.03,
    )
  },
}

let failed = 0
const wanted = values.only ?? Object.keys(parts)
for (const name of wanted) {
  const run = parts[name]
  if (run === undefined) throw new Error(`--only ${name}: it must be one of ${Object.keys(parts).join(', ')}`)
  console.log(`=== ${name}`)
  const { facts, faults } = await run()
  for (const fact of facts) console.log(`  ${fact}`)
  for (const fault of faults) console.log(`  FAILED ${fault}`)
  if (faults.length > 0) failed++
}
console.log(`${wanted.length - failed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

function seconds(): string {
  return ((performance.now() - startedMs) / 1_000).toFixed(0)
}
