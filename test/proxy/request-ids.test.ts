import { expect, test } from 'vitest'
import { RequestIds } from '../../src/proxy/request-ids.ts'

test('ids are 32 hexadecimal digits and never come twice', () => {
  const ids = new RequestIds()
  const drawn = Array.from({ length: 2_000 }, () => ids.next())
  expect(drawn.every(id => /^[0-9a-f]{32}$/.test(id))).toBe(true)
  expect(new Set(drawn).size).toBe(drawn.length)
})

test.each(['abc', 'a-b_c.d', '7f3e'.repeat(32)])('the id %s of a client is kept', id => {
  expect(new RequestIds().of(id)).toBe(id)
})

test.each(['', 'a b', 'a"b', 'x'.repeat(129), 'a\tb', 'é'])('the id %j of a client is replaced', id => {
  expect(new RequestIds().of(id)).toMatch(/^[0-9a-f]{32}$/)
})
