import { describe, expect, test } from 'vitest'
import { readCommonNames } from '../../src/routing/client-certificate-values.ts'
import { bench, drop, ingress, path, put, rule, secretWith, service } from './objects.ts'

const app = service('app')
const authorities = secretWith('ca', { 'ca.crt': 'authorities 1' })
const demanding = (annotations: Record<string, string> = {}, draft: Parameters<typeof ingress>[0] = {}) =>
  ingress({
    rules: [rule('a.example', path('/'))],
    annotations: { 'auth-tls-secret': 'shop/ca', ...annotations },
    ...draft,
  })

describe('client certificates of a host', () => {
  test('are asked for as its Ingress says', () => {
    const annotations = {
      'auth-tls-verify-client': 'optional',
      'auth-tls-verify-depth': '3',
      'auth-tls-pass-certificate-to-upstream': 'true',
      'auth-tls-match-cn': 'CN=(alice|robot-.*)',
    }
    const secret = secretWith('ca', { 'ca.crt': 'authorities 1', 'ca.crl': 'revoked' })
    const { table, ask, reasons } = bench([demanding(annotations), app, secret])
    expect(table.host('a.example')?.clientCertificates).toEqual({
      verify: 'optional',
      maxDepth: 3,
      passCertificate: true,
      commonNames: { exact: ['alice'], prefixes: ['robot-'] },
      authorities: 'authorities 1',
      revocations: 'revoked',
    })
    expect(ask('a.example', '/')).toBe('app')
    expect(reasons()).toEqual([])
  })

  test('are demanded, by authorities and one more, where it says nothing else', () => {
    const { table } = bench([demanding(), app, authorities])
    expect(table.host('a.example')?.clientCertificates).toMatchObject({
      verify: 'on',
      maxDepth: 1,
      passCertificate: false,
    })
    expect(bench([demanding({ 'auth-tls-verify-client': 'off' }), app]).table.host('a.example')).not.toHaveProperty(
      'clientCertificates',
    )
  })

  test('can be judged by a Secret that is there and can be read only', () => {
    const subject = bench([demanding(), app])
    expect(subject.ask('a.example', '/')).toBe('503 ClientCertificates')
    const field = 'shop/web metadata.annotations[nginx.ingress.kubernetes.io/auth-tls-secret]'
    expect(subject.reasons()).toEqual([`SecretNotFound ${field}`])
    subject.apply(put(secretWith('ca', { 'ca.crt': 'nonsense' })))
    expect(subject.ask('a.example', '/')).toBe('503 ClientCertificates')
    expect(subject.reasons()).toEqual([`InvalidAuthorities ${field}`])
    subject.apply(put(authorities))
    expect(subject.ask('a.example', '/')).toBe('app')
    expect(subject.reasons()).toEqual([])
    subject.apply(drop(authorities))
    expect(subject.ask('a.example', '/')).toBe('503 ClientCertificates')
  })

  test('follow their Secret, which is referred to', () => {
    const subject = bench([demanding(), app, authorities])
    expect([...subject.translator.references().secrets]).toEqual(['shop/ca'])
    subject.apply(put(secretWith('ca', { 'ca.crt': 'authorities 2' })))
    expect(subject.table.host('a.example')?.clientCertificates?.authorities).toBe('authorities 2')
  })

  test('are those of its oldest Ingress with some, for the routes of all', () => {
    const oldest = ingress({ name: 'oldest', created: 0, rules: [rule('a.example', path('/open'))] })
    const other = demanding(
      { 'auth-tls-verify-client': 'optional' },
      { name: 'other', created: 9, rules: [rule('a.example', path('/other'))] },
    )
    const same = demanding({}, { name: 'same', created: 8, rules: [rule('a.example', path('/same'))] })
    const { table, ask, reasons } = bench([oldest, demanding({}, { created: 5 }), other, same, app, authorities])
    expect(table.host('a.example')?.clientCertificates?.verify).toBe('on')
    expect(ask('a.example', '/open')).toBe('app')
    expect(ask('a.example', '/same')).toBe('app')
    expect(ask('a.example', '/other')).toBe('503 ClientCertificates')
    expect(reasons()).toEqual([
      'ClientCertificateConflict shop/other metadata.annotations[nginx.ingress.kubernetes.io/auth-tls-secret]',
    ])
  })

  test('whose Secret is missing close the routes of all its Ingresses, not those of other hosts', () => {
    const open = ingress({
      name: 'open',
      created: 0,
      rules: [rule('a.example', path('/open')), rule('b.example', path('/'))],
    })
    const { ask } = bench([open, demanding({}, { created: 5 }), app])
    expect(ask('a.example', '/open')).toBe('503 ClientCertificates')
    expect(ask('b.example', '/')).toBe('app')
  })
})

test.each([
  ['CN=alice', { exact: ['alice'], prefixes: [] }],
  ['^CN=alice$', { exact: ['alice'], prefixes: [] }],
  ['CN=(a\\.example|b)', { exact: ['a.example', 'b'], prefixes: [] }],
  ['CN=robot-.*', { exact: [], prefixes: ['robot-'] }],
  ['alice', undefined],
  ['CN=', undefined],
  ['CN=a|b', undefined],
  ['CN=[a-z]+', undefined],
  ['CN=(a', undefined],
  ['CN=alice,O=Acme', undefined],
])('common names %j', (text, names) => {
  expect(readCommonNames(text)).toEqual(names)
})
