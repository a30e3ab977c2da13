import { expect, test, vi } from 'vitest'
import { Target } from './target.ts'

test('more than memory holds is refused until it is given back, and nothing dies', async () => {
  await using target = await Target.start()
  const maxMemoryBytes = Math.round((target.residentMb + 60) * 1024 * 1024)
  const { counted, attacked } = await target.attack({
    attack: 'heldHeads',
    connections: 4_000,
    configuration: { timeouts: { clientHeadSeconds: 5 }, limits: { maxMemoryBytes } },
  })
  expect(counted.get('memory_over_high_water_mark_total')).toBeGreaterThan(0)
  expect(attacked.outcomes['200']).toBeGreaterThan(0)
  await vi.waitFor(
    async () => {
      expect((await target.metrics()).get('memory_over_high_water_mark')).toBe(0)
      expect(await target.ask()).toBe(200)
    },
    { timeout: 20_000, interval: 100 },
  )
  expect((await target.metrics()).get('workers_lost_total')).toBe(0)
  expect(target.logged('error', 'fatal')).toEqual([])
})
