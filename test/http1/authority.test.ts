import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hostOfAuthority } from '../../src/http1/authority.ts'

describe('the host of an authority', () => {
  it.each([
    ['a.test', 'a.test'],
    ['A.TeSt', 'a.test'],
    ['a.test.', 'a.test'],
    ['a.test:8080', 'a.test'],
    ['a.test.:80', 'a.test'],
    ['a.test:', 'a.test'],
    ['a.test:65535', 'a.test'],
    ['a_b.test', 'a_b.test'],
    ['192.0.2.1:80', '192.0.2.1'],
    ['%41.test', '%41.test'],
    ['[::1]', '[::1]'],
    ['[2001:DB8::1]:443', '[2001:db8::1]'],
    ['[1:2:3:4:5:6:7:8]', '[1:2:3:4:5:6:7:8]'],
    ['[::ffff:192.0.2.1]', '[::ffff:192.0.2.1]'],
    ['[1::]', '[1::]'],
    ['a'.repeat(255), 'a'.repeat(255)],
  ])('%s is %s', (authority, host) => {
    expect(hostOfAuthority(authority)).toBe(host)
  })

  it.each([
    '',
    '.',
    ':80',
    'a.test/x',
    'a.test?x',
    'a.test#x',
    'http://a.test',
    'user@a.test',
    'a.test\\b',
    'a test',
    'a\t.test',
    'a.test:80x',
    'a.test:-1',
    'a.test:+1',
    'a.test:65536',
    'a.test:99999999999999999999',
    'a.test:80:80',
    'b\xfccher.test',
    'a%zz.test',
    'a%2',
    '[::1',
    '[::1]x',
    '[]',
    '[:]',
    '[1:2]',
    '[1:2:3:4:5:6:7:8:9]',
    '[1::2::3]',
    '[::12345]',
    '[::g]',
    '[fe80::1%25eth0]',
    '[v1.a]',
    '[::192.0.2.256]',
    '[::192.0.2]',
    '[192.0.2.1]',
    '[192.0.2.1::]',
    '::1',
    'a'.repeat(256),
  ])('%j is refused', authority => {
    expect(hostOfAuthority(authority)).toBeUndefined()
  })

  it('is the same for every spelling of a name, and for itself', () => {
    const name = fc.stringMatching(/^[a-z0-9_-]{1,10}(?:\.[a-z0-9_-]{1,10}){0,3}$/)
    fc.assert(
      fc.property(name, fc.constantFrom('', '.'), fc.constantFrom('', ':', ':80'), (name, dot, port) => {
        expect(hostOfAuthority(name + dot + port)).toBe(name)
        expect(hostOfAuthority(name.toUpperCase() + dot + port)).toBe(name)
      }),
    )
  })
})
