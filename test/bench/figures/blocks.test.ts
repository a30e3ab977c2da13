import { expect, test } from 'vitest'
import { figuresOfBlocks, orderOfBlock } from './blocks.ts'
import { measurementOf, ratioOf } from './figure.ts'

const rows = [
  { name: 'cost', unit: 'µs', compared: true },
  { name: 'late', unit: 'µs', compared: false },
]
const pair = { of: 'ours', to: 'nginx' }

function block(ours: readonly number[], nginx: readonly number[]) {
  return new Map([
    ['ours', ours.map(cost => ({ cost, late: 1 }))],
    ['nginx', nginx.map(cost => ({ cost, late: 2 }))],
  ])
}

test('a block goes there and back again', () => {
  expect(orderOfBlock(['a', 'b', 'c'])).toEqual(['a', 'b', 'c', 'c', 'b', 'a'])
})

test('ratios are taken within a block, so a machine that slows down between blocks does not change them', () => {
  const figures = { ...figuresOfBlocks([block([20, 22], [10, 11]), block([200, 220], [100, 110])], rows, [pair]) }
  expect(figures.ratios).toHaveLength(1)
  expect(figures.ratios[0]?.figure).toMatchObject({ median: 2, min: 2, max: 2, blocks: 2 })
})

test('within a block the mean of both turns counts, so a steady drift does not either', () => {
  // ours, nginx, nginx, ours, each turn a tenth dearer than the one before
  const figures = figuresOfBlocks([block([10, 13], [11, 12])], rows, [pair])
  expect(figures.ratios[0]?.figure.median).toBe(1)
})

test('figures are found by contender and name', () => {
  const figures = { ...figuresOfBlocks([block([20], [10])], rows, [pair]), failures: [], remarks: [] }
  expect(measurementOf(figures, 'nginx', 'late')?.median).toBe(2)
  expect(ratioOf(figures, 'cost', pair)?.median).toBe(2)
  expect(ratioOf(figures, 'late', pair)).toBeUndefined()
})

test('a contender that is missing, or costs nothing, gives no ratio', () => {
  const figures = figuresOfBlocks([block([20], [0])], rows, [pair, { of: 'ours', to: 'caddy' }])
  expect(figures.ratios).toEqual([])
})
