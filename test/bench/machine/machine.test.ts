import { expect, test } from 'vitest'
import { chooseCores, processorsOf } from './cores.ts'
import { cpuBetween, readCpu } from './cpu-time.ts'
import { readProcessorTime, stolenPercent } from './machine.ts'
import { processTree } from './process-tree.ts'
import { Processes } from './processes.ts'

test.each([
  ['0', [0]],
  ['0-3', [0, 1, 2, 3]],
  ['1,3-4', [1, 3, 4]],
] as const)('processors %s', (list, expected) => {
  expect(processorsOf(list)).toEqual(expected)
})

test('the proxy has a processor of its own where there are two', () => {
  expect(chooseCores([2, 5, 6])).toEqual({ proxy: 2, load: 5, backend: 5, apart: true })
  expect(chooseCores([4])).toEqual({ proxy: 4, load: 4, backend: 4, apart: false })
})

test('time that was stolen is a share of all', () => {
  const before = readProcessorTime('cpu  100 0 100 100 0 0 0 10 0 0\ncpu0 1 2 3\n')
  const after = readProcessorTime('cpu  190 0 100 100 0 0 0 20 50 0\n')
  expect(stolenPercent(before, after)).toBe(10)
})

test('CPU time is that of threads in nanoseconds, split as their process is', () => {
  const before = { threads: new Map([[1, 100]]), userTicks: 10, systemTicks: 10 }
  const after = {
    threads: new Map([
      [1, 400],
      [2, 100],
    ]),
    userTicks: 13,
    systemTicks: 11,
  }
  expect(cpuBetween(before, after)).toEqual({ totalNs: 400, userNs: 300, systemNs: 100 })
})

test('what a thread used that ended meanwhile is counted by its process', () => {
  const before = {
    threads: new Map([
      [1, 100],
      [2, 50],
    ]),
    userTicks: 0,
    systemTicks: 0,
  }
  const after = { threads: new Map([[1, 200]]), userTicks: 3, systemTicks: 1 }
  expect(cpuBetween(before, after)).toEqual({ totalNs: 40_000_000, userNs: 30_000_000, systemNs: 10_000_000 })
})

test('a process and its children are counted and stopped as one', async () => {
  const processes = new Processes()
  // A child that is busy, but not for ever, whatever becomes of this test.
  const script = '(i=0; while [ $i -lt 5000000 ]; do i=$((i+1)); done) & echo started; wait'
  const started = processes.start(chooseCores().load, ['sh', '-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  await new Promise<void>(resolve => {
    started.child.stdout?.once('data', () => resolve())
  })
  const tree = processTree(started.pid)
  expect(tree).toHaveLength(2)
  const before = readCpu(started.pid)
  let used = 0
  // The child does nothing but use its processor, so the count grows as soon as it had any time.
  while (used === 0) {
    await new Promise<void>(resolve => {
      setTimeout(resolve, 10)
    })
    used = cpuBetween(before, readCpu(started.pid)).totalNs
  }
  await processes.stop(started)
  for (const pid of tree) await expect.poll(() => processTree(pid)).toEqual([])
})
