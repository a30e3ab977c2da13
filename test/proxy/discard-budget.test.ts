import { expect, test } from 'vitest'
import { DiscardBudget } from '../../src/proxy/discard-budget.ts'

test('a worker throws away so much until the next tick, whoever sends it', () => {
  const budget = new DiscardBudget()
  const piece = 65_536
  const piecesUntilSpent = (): number => {
    let pieces = 1
    while (budget.spend(piece)) pieces++
    return pieces
  }
  const first = piecesUntilSpent()
  expect(budget.spend(1)).toBe(false)
  budget.refill()
  expect(piecesUntilSpent()).toBe(first)
  // Nothing is saved up.
  budget.refill()
  budget.refill()
  expect(piecesUntilSpent()).toBe(first)
})
