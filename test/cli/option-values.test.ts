import { describe, expect, test } from 'vitest'
import { bindAddress, namespacedName, portNumber, trueOrFalse, workerCount } from '../../src/cli/option-values.ts'

describe('values of options', () => {
  test('a bind address has a port, and is every address when it names none', () => {
    expect(bindAddress(':8081')).toEqual({ address: '::', port: 8081 })
    expect(bindAddress('127.0.0.1:0')).toEqual({ address: '127.0.0.1', port: 0 })
    expect(bindAddress('[::1]:8081')).toEqual({ address: '::1', port: 8081 })
    expect(bindAddress('0')).toBe('nowhere')
    for (const wrong of ['', '8081', '::1:8081', ':65536', 'a:b'])
      expect(() => bindAddress(wrong)).toThrow('ADDRESS:PORT')
  })

  test('a port is a whole number from 0 to 65535', () => {
    expect([portNumber('0'), portNumber('65535')]).toEqual([0, 65_535])
    for (const wrong of ['', '-1', '1.5', '65536', '0x50']) expect(() => portNumber(wrong)).toThrow('from 0 to 65535')
  })

  test('workers are from 1 to 64', () => {
    expect([workerCount('1'), workerCount('64')]).toEqual([1, 64])
    for (const wrong of ['0', '65', 'two', '']) expect(() => workerCount(wrong)).toThrow('from 1 to 64')
  })

  test('a namespaced name has both parts and no more', () => {
    expect(namespacedName('a/b')).toEqual({ namespace: 'a', name: 'b' })
    for (const wrong of ['a', '/b', 'a/', 'a/b/c']) expect(() => namespacedName(wrong)).toThrow('NAMESPACE/NAME')
  })

  test('a boolean is true or false', () => {
    expect([trueOrFalse('true'), trueOrFalse('false')]).toEqual([true, false])
    expect(() => trueOrFalse('yes')).toThrow('true or false')
  })
})
