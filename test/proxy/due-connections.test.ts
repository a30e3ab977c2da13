import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { DueConnections } from '../../src/proxy/due-connections.ts'

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `connection ${index}`)

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(1)
}

test('each is dealt with once, in order, a share of those that wait at a time', async () => {
  const dealt: string[] = []
  const due = new DueConnections<string>(1 / 10, name => dealt.push(name))
  for (const name of names(100)) due.add(name)
  for (const name of names(100)) due.add(name)
  expect(dealt).toEqual([])
  await nextTurn()
  expect(dealt).toHaveLength(10)
  await until(() => dealt.length >= 100)
  await pause(10)
  expect(dealt).toEqual(names(100))
})

test('others are served between two turns', async () => {
  const order: string[] = []
  const due = new DueConnections<string>(1 / 10, () => order.push('due'))
  for (const name of names(3)) due.add(name)
  const other = setInterval(() => order.push('other'), 1)
  await until(() => order.filter(what => what === 'due').length === 3)
  clearInterval(other)
  expect(order.slice(order.indexOf('due'), order.lastIndexOf('due'))).toContain('other')
})

test('one that is due again is dealt with again, also when that is found while it is dealt with', async () => {
  let dealt = 0
  const due: DueConnections<string> = new DueConnections<string>(1, name => {
    if (++dealt < 3) due.add(name)
  })
  due.add('connection')
  await until(() => dealt === 3)
  due.add('connection')
  await until(() => dealt > 3)
  expect(dealt).toBe(4)
})

test('one that fails does not keep the others waiting', async () => {
  const dealt: string[] = []
  const errors: unknown[] = []
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.once('uncaughtException', error => errors.push(error))
  const due = new DueConnections<string>(1 / 10, name => {
    if (name === 'connection 0') throw new Error('broken')
    dealt.push(name)
  })
  for (const name of names(3)) due.add(name)
  await until(() => dealt.length === 2)
  for (const listener of listeners) process.on('uncaughtException', listener)
  expect(errors).toHaveLength(1)
})
