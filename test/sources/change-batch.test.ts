import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Change } from '../../src/routing/snapshot.ts'
import { ChangeBatch } from '../../src/sources/change-batch.ts'

function change(name: string): Change {
  return { kind: 'Service', namespace: 'shop', name, object: undefined }
}

test('the first changes are given on as soon as the code that adds them has ended', async () => {
  const given: string[][] = []
  const batch = new ChangeBatch(changes => given.push(changes.map(({ name }) => name)))
  batch.add(change('a'))
  batch.add(change('b'))
  expect(given).toEqual([])
  await Promise.resolve()
  expect(given).toEqual([['a', 'b']])
})

test('changes that follow in the same turn of the loop are given on together in the next', async () => {
  const given: string[][] = []
  const batch = new ChangeBatch(changes => given.push(changes.map(({ name }) => name)))
  batch.add(change('a'))
  await Promise.resolve()
  batch.add(change('b'))
  await Promise.resolve()
  batch.add(change('c'))
  expect(given).toEqual([['a']])
  await turn()
  await turn()
  expect(given).toEqual([['a'], ['b', 'c']])
  batch.add(change('d'))
  await turn()
  await turn()
  expect(given).toEqual([['a'], ['b', 'c'], ['d']])
})

test('nothing is given on after close', async () => {
  const given: Change[] = []
  const batch = new ChangeBatch(changes => given.push(...changes))
  batch.add(change('a'))
  batch.close()
  await turn()
  expect(given).toEqual([])
})
