import { expect, test } from 'vitest'
import { Stillness } from '../../src/proxy/stillness.ts'

test('is noticed after so many looks at the same number, and over with the first other one', () => {
  const stillness = new Stillness(3)
  expect([1, 1, 1, 2, 2, 2, 2, 3].map(count => stillness.look(count))).toEqual([
    false,
    false,
    false,
    false,
    false,
    false,
    true,
    false,
  ])
})

test('begins anew with another thread', () => {
  const stillness = new Stillness(2)
  stillness.look(5)
  stillness.look(5)
  stillness.restart()
  expect([5, 5, 5].map(count => stillness.look(count))).toEqual([false, false, true])
})
