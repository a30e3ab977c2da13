import { expect, test } from 'vitest'
import { checkAuthorities } from '../../src/certificates/check-authorities.ts'
import { TestAuthority } from '../proxy/test-authority.ts'

const root = TestAuthority.root('root')
const intermediate = root.intermediate('intermediate')

test('authorities up to a self-signed one can be used, with revocation lists or without', () => {
  expect(checkAuthorities(root.pem, undefined)).toBeUndefined()
  expect(checkAuthorities(intermediate.pem + root.pem, root.revoke())).toBeUndefined()
})

test.each([
  ['', undefined, 'holds no certificate'],
  ['nonsense', undefined, 'holds no certificate'],
  [`${root.pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`, undefined, 'certificate 2 of 2'],
  [intermediate.pem, undefined, 'signed itself'],
  [root.pem.repeat(101), undefined, 'at most 100'],
  [`${root.pem}${' '.repeat(300_000)}`, undefined, 'at most 262144 characters'],
  [root.pem, 'nonsense', 'ca.crl'],
])('others are told of (%#)', (authorities, revocations, told) => {
  expect(checkAuthorities(authorities, revocations)).toContain(told)
})
