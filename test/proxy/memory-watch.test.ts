import { expect, test } from 'vitest'
import { createLog } from '../../src/observe/log.ts'
import { MemoryWatch } from '../../src/proxy/memory-watch.ts'

const none = { heldBytes: 0, heapBytes: 0 }

function watch(limitBytes: number | undefined) {
  const lines: string[] = []
  const now = { bytes: 0, held: 0, heap: 0 }
  const log = createLog({ level: 'info', destination: { write: line => lines.push(line) } })
  const memory = new MemoryWatch({ limitBytes, usage: () => now.bytes }, log)
  /** States after looks at these amounts, as much of it held by workers as `now` says. */
  const states = (amounts: readonly number[]): readonly boolean[] =>
    amounts.map(bytes => {
      now.bytes = bytes
      memory.check(0, { heldBytes: now.held, heapBytes: now.heap })
      return memory.isOver
    })
  return { memory, lines, now, states }
}

test('is over from the high-water mark until the low-water mark, with one line each time', () => {
  const { memory, lines, states } = watch(1_000)
  expect(states([849, 851, 849, 783, 781, 849, 851])).toEqual([false, true, true, true, false, false, true])
  expect(memory.episodes).toBe(2)
  expect(lines.map(line => (JSON.parse(line) as { readonly level: string }).level)).toEqual(['warn', 'info', 'warn'])
})

test('takes a setting instead of the limit, and without either never refuses', () => {
  const { memory, now } = watch(undefined)
  now.bytes = 1e15
  expect(memory.check(0, none)).toBe(false)
  expect(memory.check(1e14, none)).toBe(true)
  expect(memory.isOver).toBe(true)
  // The setting is taken back.
  expect(memory.check(0, none)).toBe(true)
  expect(memory.isOver).toBe(false)
})

test('what workers have freed may be used again though the process has not shrunk, and counts anew when it is', () => {
  const { now, states } = watch(1_000)
  now.held = 500
  expect(states([900])).toEqual([true])
  now.held = 100
  expect(states([900])).toEqual([false])
  now.held = 350
  expect(states([900])).toEqual([false])
  now.held = 480
  expect(states([900])).toEqual([true])
})

test('what the kernel has got back is not counted as free a second time', () => {
  const { now, states } = watch(1_000)
  now.held = 500
  expect(states([900])).toEqual([true])
  now.held = 0
  // 400 of the 500 were given back; something else has grown.
  expect(states([500, 760, 1_300])).toEqual([false, false, true])
})

test('a heap that shrinks takes nothing of it', () => {
  const { now, states } = watch(1_000)
  Object.assign(now, { held: 300, heap: 300 })
  expect(states([900])).toEqual([true])
  Object.assign(now, { held: 0, heap: 200 })
  expect(states([800])).toEqual([false])
  now.heap = 300
  expect(states([900])).toEqual([false])
})

test('where refusing does not help, requests are served again, with little more on top', () => {
  const { states, lines } = watch(1_000)
  expect(states(Array.from({ length: 60 }, () => 860))).not.toContain(false)
  expect(states([860, 870, 890])).toEqual([false, false, true])
  expect(lines.map(line => (JSON.parse(line) as { readonly level: string }).level)).toEqual(['warn', 'warn', 'warn'])
  // Too near the limit for that.
  expect(states(Array.from({ length: 200 }, () => 950))).not.toContain(false)
})
