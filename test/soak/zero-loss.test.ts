import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runClosingPods } from './closing-pods.ts'
import { judgeClosingPods, judgeZeroLoss } from './verdicts.ts'
import { runZeroLoss } from './zero-loss.ts'

// `make soak` at a size for every day: the same assertions, fewer requests and changes.

const program = join(import.meta.dirname, '../../src/cli/entry.ts')
const patienceMs = 240_000

test(
  'no request fails while endpoints, routes and certificates change, workers are killed and instances restart',
  async () => {
    const plan = {
      program,
      requests: 3_000,
      ratePerSecond: 300,
      endpointChanges: 30,
      routeChanges: 30,
      certificateSwaps: 5,
      workerKills: 2,
      restarts: 2,
    }
    expect(judgeZeroLoss(plan, await runZeroLoss(plan)).faults).toEqual([])
  },
  patienceMs,
)

test(
  'no request that may be repeated fails when pods close kept connections and end at any time, and none comes twice that must not',
  async () => {
    const report = await runClosingPods({
      program,
      requests: 2_000,
      ratePerSecond: 400,
      closesPerSecond: 100,
      suddenEnds: 10,
    })
    expect(judgeClosingPods(report).faults).toEqual([])
  },
  patienceMs,
)
