import { expect, test } from 'vitest'
import { createLog } from '../../src/observe/log.ts'
import { MemoryWatch } from '../../src/proxy/memory-watch.ts'

function watch(limitBytes: number | undefined) {
  const lines: string[] = []
  const usage = { bytes: 0 }
  const log = createLog({ level: 'info', destination: { write: line => lines.push(line) } })
  return { usage, lines, memory: new MemoryWatch({ limitBytes, usage: () => usage.bytes }, log) }
}

test('is over from the high-water mark until the low-water mark, with one line each time', () => {
  const { memory, usage, lines } = watch(1_000)
  const states = [849, 851, 849, 783, 781, 849, 851].map(bytes => {
    usage.bytes = bytes
    memory.check(0)
    return memory.isOver
  })
  expect(states).toEqual([false, true, true, true, false, false, true])
  expect(memory.episodes).toBe(2)
  expect(lines.map(line => (JSON.parse(line) as { readonly level: string }).level)).toEqual(['warn', 'info', 'warn'])
})

test('takes a setting instead of the limit, and without either never refuses', () => {
  const { memory, usage } = watch(undefined)
  usage.bytes = 1e15
  expect(memory.check(0)).toBe(false)
  expect(memory.check(1e14)).toBe(true)
  expect(memory.isOver).toBe(true)
  // The setting is taken back.
  expect(memory.check(0)).toBe(true)
  expect(memory.isOver).toBe(false)
})
