import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { refuseEndpointAddress, refuseExternalName } from '../../src/routing/address-policy.ts'
import { parseIpAddress } from '../../src/routing/ip-address.ts'
import { matches, parseSourceRange } from '../../src/routing/source-ranges.ts'

const inside = (network: string, address: string): boolean => {
  const range = parseSourceRange(network)
  return range !== undefined && matches([range], address)
}

describe('source ranges', () => {
  test.each([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/8', '10.9.9.9', true],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['::/0', '::1', true],
    ['::/0', '192.0.2.1', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:0a01:0203', true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['10.0.0.0/8', 'not an address', false],
    ['10.0.0.0/8', '', false],
  ])('%s and %s: %s', (network, address, expected) => {
    expect(inside(network, address)).toBe(expected)
  })

  test.each([
    '',
    '10.0.0.0/33',
    '10.0.0/8',
    '010.0.0.0/8',
    '10.0.0.0/',
    '10.0.0.0/08',
    '::/129',
    '1::2::3',
    '10.0.0.256',
    'a.example',
    '10.0.0.0/-1',
    'fe80::1%eth0/64',
    ':::',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8:9',
  ])('%j is no range', text => {
    expect(parseSourceRange(text)).toBeUndefined()
  })

  test('an IPv4 network holds exactly the addresses with its leading bits', () => {
    const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255))
    fc.assert(
      fc.property(octets, octets, fc.nat(32), (network, address, length) => {
        const bits = (of: readonly number[]): string => of.map(octet => octet.toString(2).padStart(8, '0')).join('')
        const expected = bits(network).slice(0, length) === bits(address).slice(0, length)
        expect(inside(`${network.join('.')}/${length}`, address.join('.'))).toBe(expected)
      }),
    )
  })

  test('an IPv6 network holds exactly the addresses with its leading bits', () => {
    // The first group is fixed so that no address is IPv4-mapped.
    const groups = fc.array(fc.nat(0xffff), { minLength: 7, maxLength: 7 }).map(rest => [0x2001, ...rest])
    fc.assert(
      fc.property(groups, groups, fc.nat(128), (network, address, length) => {
        const bits = (of: readonly number[]): string => of.map(group => group.toString(2).padStart(16, '0')).join('')
        const text = (of: readonly number[]): string => of.map(group => group.toString(16)).join(':')
        const expected = bits(network).slice(0, length) === bits(address).slice(0, length)
        expect(inside(`${text(network)}/${length}`, text(address))).toBe(expected)
      }),
    )
  })

  test('short and long notation of an address are the same', () => {
    expect(parseIpAddress('2001:db8::1')).toEqual(parseIpAddress('2001:0db8:0:0:0:0:0:1'))
    expect(parseIpAddress('::')).toEqual({ family: 6, value: 0n })
    expect(parseIpAddress('::1.2.3.4')).toEqual({ family: 6, value: 0x01020304n })
  })
})

describe('where an endpoint may be', () => {
  test.each([
    ['10.0.0.1', false, undefined],
    ['2001:db8::1', false, undefined],
    ['127.0.0.1', false, 'loopback'],
    ['127.0.0.1', true, undefined],
    ['::1', false, 'loopback'],
    ['::ffff:127.0.0.1', false, 'loopback'],
    ['169.254.169.254', true, 'link-local'],
    ['fe80::1', true, 'link-local'],
    ['0.0.0.0', true, 'unspecified'],
    ['::', true, 'unspecified'],
    ['224.0.0.1', true, 'multicast'],
    ['a.example', true, 'invalid'],
  ])('an endpoint at %s, loopback allowed %s: %s', (address, allowLoopback, expected) => {
    expect(refuseEndpointAddress(address, allowLoopback)).toBe(expected)
  })

  test.each([
    ['api.example.com', undefined],
    ['192.0.2.1', undefined],
    ['127.1.example', undefined],
    ['localhost', 'loopback'],
    ['a.localhost', 'loopback'],
    ['127.0.0.1', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['metadata.google.internal', 'metadata'],
    ['100.100.100.200', 'metadata'],
    ['2130706433', 'invalid'],
    ['0x7f000001', 'invalid'],
    ['127.1', 'invalid'],
    ['0x7f.1', 'invalid'],
    ['', 'invalid'],
    ['a b', 'invalid'],
    ['a.example/x', 'invalid'],
    ['a.example\r\nx', 'invalid'],
    ['a..example', 'invalid'],
  ])('an external name %j: %s', (name, expected) => {
    expect(refuseExternalName(name)).toBe(expected)
  })
})
