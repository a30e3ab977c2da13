import { expect, test } from 'vitest'
import { figureOf } from './statistics.ts'
import { judge } from './verdict.ts'

const none = { measurements: [], ratios: [], failures: [], remarks: [] }

test.each([
  [1.05, 'aim met'],
  [1.06, 'must met'],
  [1.3, 'must met'],
  [1.31, 'missed'],
] as const)('%d of at most 1.3, at best 1.05: %s', (median, verdict) => {
  const requirement = { what: 'cost', unit: '', must: 1.3, aim: 1.05, measured: () => figureOf([median]) }
  expect(judge(requirement, none).verdict).toBe(verdict)
})

test('what could not be measured is not called missed', () => {
  const requirement = { what: 'cost', unit: '', must: 1.3, aim: 1.05, measured: () => undefined }
  expect(judge(requirement, none)).toEqual({ what: 'cost', unit: '', must: 1.3, aim: 1.05, verdict: 'not measured' })
})
