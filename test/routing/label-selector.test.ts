import { expect, test } from 'vitest'
import type { LabelSelector } from '../../src/api/kubernetes.ts'
import { labelsMatch } from '../../src/routing/label-selector.ts'

const team = { team: 'shop', tier: 'front' }

test.each<[string, LabelSelector, boolean]>([
  ['an empty selector selects everything', {}, true],
  ['all labels of matchLabels must be there', { matchLabels: { team: 'shop', tier: 'front' } }, true],
  ['one label that differs is enough to miss', { matchLabels: { team: 'shop', tier: 'back' } }, false],
  ['In wants one of the values', { matchExpressions: [{ key: 'team', operator: 'In', values: ['a', 'shop'] }] }, true],
  ['In without the label misses', { matchExpressions: [{ key: 'none', operator: 'In', values: ['a'] }] }, false],
  ['NotIn takes an absent label', { matchExpressions: [{ key: 'none', operator: 'NotIn', values: ['a'] }] }, true],
  ['NotIn refuses its values', { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['shop'] }] }, false],
  ['Exists wants the label', { matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, true],
  ['DoesNotExist wants no label', { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, false],
  [
    'a property that every object inherits is no label',
    { matchExpressions: [{ key: 'toString', operator: 'Exists' }] },
    false,
  ],
])('%s', (_, selector, expected) => {
  expect(labelsMatch(selector, team)).toBe(expected)
})

test('an object without labels is matched by absence only', () => {
  expect(labelsMatch({ matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] }, undefined)).toBe(true)
  expect(labelsMatch({ matchLabels: { a: 'b' } }, undefined)).toBe(false)
})
