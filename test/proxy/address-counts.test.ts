import { expect, test } from 'vitest'
import { AddressCounts } from '../../src/proxy/address-counts.ts'

test('admits up to the limit per address, and again after a release', () => {
  const counts = new AddressCounts()
  expect(counts.admit('192.0.2.1', 2)).toBe(true)
  expect(counts.admit('192.0.2.1', 2)).toBe(true)
  expect(counts.admit('192.0.2.1', 2)).toBe(false)
  expect(counts.admit('192.0.2.2', 2)).toBe(true)
  counts.release('192.0.2.1')
  expect(counts.admit('192.0.2.1', 2)).toBe(true)
})

test('keeps nothing of addresses without a connection', () => {
  const counts = new AddressCounts()
  for (let one = 0; one < 1_000; one++) counts.admit(`192.0.2.${one % 250}`, 0)
  expect(counts.size).toBe(250)
  for (let one = 0; one < 1_000; one++) counts.release(`192.0.2.${one % 250}`)
  expect(counts.size).toBe(0)
})

test('counts what was admitted without a limit, so that a limit set later holds', () => {
  const counts = new AddressCounts()
  for (let one = 0; one < 5; one++) expect(counts.admit('192.0.2.1', 0)).toBe(true)
  expect(counts.admit('192.0.2.1', 5)).toBe(false)
})

test.each([
  ['2001:db8::1', '2001:db8::2', true],
  ['2001:db8::1', '2001:db8:0:0:ffff::', true],
  ['2001:db8:0:1::', '2001:db8::1:2:3:4:5', true],
  ['2001:db8:0:1::', '2001:db8::2:2:3:4:5', false],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::', true],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:3::', false],
  ['::1', '::2', true],
  ['::1', '::', true],
  ['fe80::1%eth0', 'fe80::2%eth0', true],
])('%s and %s: one network is %s', (one, other, isOne) => {
  const counts = new AddressCounts()
  expect(counts.admit(one, 1)).toBe(true)
  expect(counts.admit(other, 1)).toBe(!isOne)
})
