import { expect, test } from 'vitest'
import { BodyBudget, RequestBuffer } from '../../src/proxy/request-buffer.ts'

const ten = Buffer.from('0123456789')

function text(buffer: RequestBuffer): string {
  return Buffer.concat(buffer.pieces).toString()
}

test('pieces are copies in order', () => {
  const buffer = new RequestBuffer(new BodyBudget(), { maxBytes: 100, waits: true })
  const read = Buffer.from('first')
  buffer.hold(read)
  read.fill('x')
  buffer.hold(Buffer.from(' second'))
  expect(text(buffer)).toBe('first second')
  expect(buffer).toMatchObject({ bytes: 12, waits: true, isWhole: true })
})

test('what is longer than the limit waits no more, is sent, and then is gone', () => {
  const budget = new BodyBudget(20)
  const buffer = new RequestBuffer(budget, { maxBytes: 15, waits: true })
  buffer.hold(ten)
  buffer.hold(ten)
  expect(buffer).toMatchObject({ bytes: 20, waits: false, isWhole: true })
  expect(budget.has(1)).toBe(false)
  buffer.sent()
  expect(buffer).toMatchObject({ bytes: 0, isWhole: false })
  expect(budget.has(20)).toBe(true)
})

test('what was sent is kept for another time up to the limit', () => {
  const buffer = new RequestBuffer(new BodyBudget(), { maxBytes: 25, waits: false })
  buffer.hold(ten)
  buffer.sent()
  buffer.retain(ten)
  expect(buffer).toMatchObject({ bytes: 20, isWhole: true })
  buffer.retain(ten)
  expect(buffer).toMatchObject({ bytes: 0, isWhole: false })
  buffer.retain(ten)
  expect(buffer.bytes).toBe(0)
})

test('without a limit of its own it holds until the connection is ready, and no longer', () => {
  const buffer = new RequestBuffer(new BodyBudget(), { maxBytes: 0, waits: false })
  buffer.hold(ten)
  expect(buffer).toMatchObject({ bytes: 10, isWhole: true })
  buffer.sent()
  expect(buffer.isWhole).toBe(false)
})

test('all of a worker share one bound', () => {
  const budget = new BodyBudget(25)
  const first = new RequestBuffer(budget, { maxBytes: 100, waits: true })
  const second = new RequestBuffer(budget, { maxBytes: 100, waits: true })
  first.hold(ten)
  second.hold(ten)
  second.hold(ten)
  expect([first.waits, second.waits]).toEqual([true, false])
  second.release()
  first.hold(ten)
  expect(first.waits).toBe(true)
})
