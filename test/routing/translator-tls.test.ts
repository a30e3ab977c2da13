import { describe, expect, test } from 'vitest'
import { defaultSettings } from '../../src/routing/default-settings.ts'
import { plainHttpAction } from '../../src/routing/plain-http.ts'
import { type Bench, bench, drop, ingress, path, put, rule, secretWith, service, tlsSecret } from './objects.ts'

const app = service('app')
const secure = (draft: Parameters<typeof ingress>[0] = {}): ReturnType<typeof ingress> =>
  ingress({ rules: [rule('a.example', path('/'))], tls: [{ hosts: ['a.example'], secretName: 'cert' }], ...draft })

/** What plain HTTP gets on `/` of a host. */
function plain({ table }: Bench, host: string, settings = defaultSettings): string {
  const match = table.find(host, '/')
  return match === undefined ? '404' : plainHttpAction(match.host, match.route, settings)
}

describe('which certificate a host has', () => {
  test('that of the Secret that spec.tls names for it', () => {
    const { table, reasons } = bench([secure(), app, tlsSecret('cert', 'a.example')])
    expect(table.certificateFor('A.example.')).toBe('shop/cert')
    expect(table.certificateFor('b.example')).toBeUndefined()
    expect(table.certificates()).toEqual([
      { id: 'shop/cert', certificate: 'certificate 1 for a.example', key: 'key 1' },
    ])
    expect(reasons()).toEqual([])
  })

  test('a wildcard in tls.hosts covers hosts of one more label, without regard to case', () => {
    const { table } = bench([
      secure({
        rules: [rule('a.foo.example', path('/')), rule('b.a.foo.example', path('/')), rule('foo.example', path('/'))],
        tls: [{ hosts: ['*.FOO.example'], secretName: 'cert' }],
      }),
      tlsSecret('cert', '*.foo.example'),
    ])
    expect(table.certificateFor('a.foo.example')).toBe('shop/cert')
    expect(table.certificateFor('b.a.foo.example')).toBeUndefined()
    expect(table.certificateFor('foo.example')).toBeUndefined()
  })

  test('a wildcard host serves its certificate to names of one more label', () => {
    const { table } = bench([
      secure({ rules: [rule('*.foo.example', path('/'))], tls: [{ hosts: ['*.foo.example'], secretName: 'cert' }] }),
      tlsSecret('cert', '*.foo.example'),
    ])
    expect(table.certificateFor('x.foo.example')).toBe('shop/cert')
    expect(table.certificateFor('foo.example')).toBeUndefined()
  })

  test('an Ingress without a rule for a host gives it no certificate', () => {
    const thief = secure({ name: 'thief', created: 0, rules: [rule('b.example', path('/'))] })
    const owner = ingress({ name: 'owner', created: 5, rules: [rule('a.example', path('/'))] })
    const { table } = bench([thief, owner, tlsSecret('cert', 'a.example')])
    expect(table.certificateFor('a.example')).toBeUndefined()
  })

  test('of two the oldest wins and the other is told', () => {
    const young = secure({
      name: 'young',
      created: 2,
      rules: [rule('a.example', path('/y'))],
      tls: [{ hosts: ['a.example'], secretName: 'other' }],
    })
    const { table, reasons } = bench([
      young,
      secure({ created: 1 }),
      app,
      tlsSecret('cert', 'a.example'),
      tlsSecret('other', 'a.example', 2),
    ])
    expect(table.certificateFor('a.example')).toBe('shop/cert')
    expect(table.certificates()).toHaveLength(1)
    expect(reasons()).toEqual(['CertificateConflict shop/young spec.tls[0]'])
  })

  test('an entry without hosts covers those hosts of its Ingress that the certificate names', () => {
    const subject = bench([
      secure({ rules: [rule('a.example', path('/')), rule('b.example', path('/'))], tls: [{ secretName: 'cert' }] }),
      app,
      tlsSecret('cert', 'a.example'),
    ])
    expect(subject.table.certificateFor('a.example')).toBe('shop/cert')
    expect(subject.table.certificateFor('b.example')).toBeUndefined()
    expect(plain(subject, 'a.example')).toBe('redirect')
    expect(plain(subject, 'b.example')).toBe('serve')
    subject.apply(put(tlsSecret('cert', 'b.example', 2)))
    expect(subject.table.certificateFor('b.example')).toBe('shop/cert')
  })

  test('an entry without hosts whose Secret is missing is for all hosts of its Ingress', () => {
    const subject = bench([secure({ tls: [{ secretName: 'cert' }] }), app])
    expect(plain(subject, 'a.example')).toBe('redirect')
    expect(subject.reasons()).toEqual(['SecretNotFound shop/web spec.tls[0].secretName'])
  })

  test('a Secret of stringData, as files have it, is read', () => {
    const written = {
      ...tlsSecret('cert', ''),
      data: {},
      stringData: { 'tls.crt': 'certificate 1 for a.example', 'tls.key': 'key 1' },
    }
    const { table } = bench([secure(), written])
    expect(table.certificateFor('a.example')).toBe('shop/cert')
  })

  test('a Secret of another namespace is not found', () => {
    const elsewhere = tlsSecret('cert', 'a.example')
    const { translator, reasons } = bench([
      secure({ namespace: 'team' }),
      { ...elsewhere, metadata: { ...elsewhere.metadata, namespace: 'shop' } },
    ])
    expect(reasons()).toContain('SecretNotFound team/web spec.tls[0].secretName')
    expect([...translator.references().secrets]).toEqual(['team/cert'])
    expect([...translator.references().secretNamespaces]).toEqual(['team'])
  })
})

describe('a Secret that can not be used', () => {
  test.each([
    ['is missing', undefined, 'SecretNotFound'],
    ['has no key', secretWith('cert', { 'tls.crt': 'certificate 1 for a.example' }), 'InvalidKeyPair'],
    ['is no base64', { ...secretWith('cert', {}), data: { 'tls.crt': '%%%', 'tls.key': '%%%' } }, 'InvalidKeyPair'],
    ['is no certificate', secretWith('cert', { 'tls.crt': 'x', 'tls.key': 'y' }), 'InvalidCertificate'],
    [
      'has the key of another',
      secretWith('cert', { 'tls.crt': 'certificate 1 for a.example', 'tls.key': 'key 2' }),
      'InvalidKeyPair',
    ],
  ])('one that %s leaves the default certificate, and nothing goes in the clear', (_, secret, reason) => {
    const subject = bench([secure(), app, ...(secret === undefined ? [] : [secret])])
    expect(subject.table.certificateFor('a.example')).toBeUndefined()
    expect(subject.reasons()).toEqual([`${reason} shop/web spec.tls[0].secretName`])
    expect(plain(subject, 'a.example', { ...defaultSettings, tlsRedirect: false })).toBe('redirect')
    expect(subject.ask('a.example', '/')).toBe('app')
  })

  test('with ssl-redirect false plain HTTP is refused rather than served', () => {
    const subject = bench([secure({ annotations: { 'ssl-redirect': 'false' } }), app])
    expect(plain(subject, 'a.example')).toBe('refuse')
    subject.apply(put(tlsSecret('cert', 'a.example')))
    expect(plain(subject, 'a.example')).toBe('serve')
  })

  test('other Ingresses of the host are not served in the clear either', () => {
    const subject = bench([secure(), app, ingress({ name: 'other', rules: [rule('a.example', path('/x'))] })])
    const match = subject.table.find('a.example', '/x')
    expect(match && plainHttpAction(match.host, match.route, { tlsRedirect: false })).toBe('redirect')
  })

  test('a later version that is broken leaves the last good one in service', () => {
    const { table, apply, reasons } = bench([secure(), app, tlsSecret('cert', 'a.example')])
    const { delta } = apply(put(secretWith('cert', { 'tls.crt': 'x', 'tls.key': 'y' })))
    expect(delta).toBeUndefined()
    expect(table.certificateFor('a.example')).toBe('shop/cert')
    expect(table.certificate('shop/cert')?.certificate).toBe('certificate 1 for a.example')
    expect(reasons()).toEqual(['InvalidCertificate shop/web spec.tls[0].secretName'])
    apply(put(tlsSecret('cert', 'a.example', 2)))
    expect(table.certificate('shop/cert')?.key).toBe('key 2')
    expect(reasons()).toEqual([])
  })

  test('the last good one is forgotten with the last Ingress that refers to it', () => {
    const { table, apply } = bench([secure(), app, tlsSecret('cert', 'a.example')])
    apply(drop(secure()))
    apply(put(secretWith('cert', { 'tls.crt': 'x', 'tls.key': 'y' })))
    apply(put(secure()))
    expect(table.certificateFor('a.example')).toBeUndefined()
  })

  test('one that is deleted takes its certificate along', () => {
    const subject = bench([secure(), app, tlsSecret('cert', 'a.example')])
    subject.apply(drop(tlsSecret('cert', 'a.example')))
    expect(subject.table.certificateFor('a.example')).toBeUndefined()
    expect(subject.table.certificates()).toEqual([])
    expect(plain(subject, 'a.example')).toBe('redirect')
  })

  test('a certificate that expired, or names another host, is served with a problem', () => {
    const { table, reasons, apply } = bench([secure(), app, tlsSecret('cert', 'a.example expired')])
    expect(table.certificateFor('a.example')).toBe('shop/cert')
    expect(reasons()).toEqual(['Expired shop/web spec.tls[0].secretName'])
    apply(put(tlsSecret('cert', 'b.example', 2)))
    expect(table.certificateFor('a.example')).toBe('shop/cert')
    expect(reasons()).toEqual(['HostNotCovered shop/web spec.tls[0]'])
  })
})

describe('plain HTTP', () => {
  const secret = tlsSecret('cert', 'a.example')

  test.each([
    ['a host with TLS is redirected', secure(), 'redirect', 'serve'],
    ['ssl-redirect false serves it', secure({ annotations: { 'ssl-redirect': 'false' } }), 'serve', 'serve'],
    ['ssl-redirect true redirects it', secure({ annotations: { 'ssl-redirect': 'true' } }), 'redirect', 'redirect'],
    ['a host without TLS is served', secure({ tls: [] }), 'serve', 'serve'],
    [
      'ssl-redirect true without TLS serves it',
      secure({ tls: [], annotations: { 'ssl-redirect': 'true' } }),
      'serve',
      'serve',
    ],
    [
      'force-ssl-redirect without TLS redirects it',
      secure({ tls: [], annotations: { 'force-ssl-redirect': 'true' } }),
      'redirect',
      'redirect',
    ],
    [
      'TLS with the default certificate is redirected',
      secure({ tls: [{ hosts: ['a.example'] }] }),
      'redirect',
      'serve',
    ],
    [
      'and served where ssl-redirect is false',
      secure({ tls: [{ hosts: ['a.example'] }], annotations: { 'ssl-redirect': 'false' } }),
      'serve',
      'serve',
    ],
  ])('%s', (_, object, expected, withoutRedirect) => {
    const subject = bench([object, app, secret])
    expect(subject.reasons()).toEqual([])
    expect(plain(subject, 'a.example')).toBe(expected)
    expect(plain(subject, 'a.example', { ...defaultSettings, tlsRedirect: false })).toBe(withoutRedirect)
  })
})

describe('the default certificate', () => {
  const defaultCertificate = { namespace: 'shop', name: 'default' }

  test('is for every name without one of its own', () => {
    const { table } = bench([secure(), tlsSecret('cert', 'a.example'), tlsSecret('default', 'ingress.local', 9)], {
      defaultCertificate,
    })
    expect(table.certificateFor('b.example')).toBe('shop/default')
    expect(table.certificateFor('a.example')).toBe('shop/cert')
    expect(table.certificate('shop/default')?.key).toBe('key 9')
  })

  test('it is told of once, and stays until another can be used', () => {
    const { table, apply, reconfigure, reasons } = bench([], { defaultCertificate })
    expect(reasons()).toEqual(['SecretNotFound shop/default '])
    const first = apply(put(tlsSecret('default', 'ingress.local')))
    expect(first.delta?.defaultCertificate).toBe('shop/default')
    expect(first.changed).toEqual([{ kind: 'Secret', namespace: 'shop', name: 'default' }])
    expect(reasons()).toEqual([])
    const renewed = apply(put(tlsSecret('default', 'ingress.local', 2)))
    expect(renewed.delta?.defaultCertificate).toBeUndefined()
    expect([...(renewed.delta?.certificates.keys() ?? [])]).toEqual(['shop/default'])
    apply(drop(tlsSecret('default', '')))
    reconfigure({ defaultCertificate: { namespace: 'shop', name: 'other' } })
    expect(table.certificateFor('b.example')).toBe('shop/default')
    expect(table.certificate('shop/default')?.key).toBe('key 2')
    expect(reasons()).toEqual(['SecretNotFound shop/other '])
    apply(put(tlsSecret('other', 'ingress.local', 3)))
    expect(table.certificateFor('b.example')).toBe('shop/other')
    expect(table.certificates()).toHaveLength(1)
  })

  test('is no reference of an Ingress', () => {
    const { translator } = bench([], { defaultCertificate })
    expect(translator.references().secrets.size).toBe(0)
  })
})

test('a new check judges the same Secrets again', () => {
  const { reasons, reconfigure } = bench([secure(), app, tlsSecret('cert', 'a.example')])
  expect(reasons()).toEqual([])
  reconfigure({ checkKeyPair: () => ({ ok: true, hosts: ['a.example'], notAfter: '', warning: 'it expired' }) })
  expect(reasons()).toEqual(['Expired shop/web spec.tls[0].secretName'])
})
