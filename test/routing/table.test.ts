import { describe, expect, test } from 'vitest'
import { explain } from '../../src/routing/explain.ts'
import { RoutingTable } from '../../src/routing/table.ts'
import { backendOf, bench, drop, ingress, path, put, ready, rule, service, slice } from './objects.ts'

const web = ingress({ rules: [rule('a.example', path('/'), path('/cart', 'cart', 'Exact'))] })

describe('the table', () => {
  test('counts what it has, through replacement and removal', () => {
    const { table, apply } = bench([web, service('app')])
    expect(table.counts).toEqual({ hosts: 1, routes: 2, backends: 2, certificates: 0 })
    apply(put(ingress({ rules: [rule('a.example', path('/'))], defaultBackend: backendOf('app') })))
    expect(table.counts).toEqual({ hosts: 1, routes: 2, backends: 1, certificates: 0 })
    apply(drop(web))
    expect(table.counts).toEqual({ hosts: 0, routes: 0, backends: 0, certificates: 0 })
    expect(table.revision).toBe(3)
  })

  test('an empty world still gives a first revision, with the settings', () => {
    const { table } = bench()
    expect(table.revision).toBe(1)
    expect(table.settings?.redirectStatus).toBe(308)
    expect(table.find('a.example', '/')).toBeUndefined()
  })

  test('who holds a route and a backend keeps them as they were', () => {
    const { table, apply } = bench([web, service('app'), slice('app', [ready('10.0.0.1')])])
    const held = table.find('a.example', '/')
    const backend = table.backend('shop/app/80')
    apply([...drop(web), ...put(slice('app', [ready('10.0.0.2')]))])
    expect(held?.route.path).toBe('/')
    expect(backend?.endpoints).toEqual([{ address: '10.0.0.1', port: 8080 }])
  })

  test('takes in a delta that was cloned on its way to a worker', () => {
    const { translator } = bench([])
    const limited = ingress({
      annotations: { 'allowlist-source-range': '10.0.0.0/8,2001:db8::/32' },
      rules: [rule('a.example', path('/'))],
    })
    const { delta } = translator.apply(put(limited))
    const table = new RoutingTable()
    if (delta !== undefined) table.apply(structuredClone(delta))
    expect(table.find('a.example', '/')?.route.options.allowSourceRanges).toHaveLength(2)
  })

  test('the id of a route says where it comes from', () => {
    const { table } = bench([web, ingress({ name: 'any', defaultBackend: backendOf('app') })])
    expect(table.find('a.example', '/cart')?.route.id).toBe('shop/web/a.example/exact/cart')
    expect(table.find('a.example', '/x')?.route.id).toBe('shop/web/a.example/prefix/')
    expect(table.find('b.example', '/x')?.route.id).toBe('shop/any//default/')
  })

  test('the routes of a host are in order of precedence', () => {
    const { table } = bench([
      ingress({
        rules: [rule('a.example', path('/'), path('/a'), path('/a', 'app', 'Exact'), path('/a/b'), path('/b'))],
      }),
    ])
    expect(table.host('a.example')?.routes.map(({ match, path }) => `${match} ${path}`)).toEqual([
      'prefix /a/b',
      'exact /a',
      'prefix /a',
      'prefix /b',
      'prefix /',
    ])
  })
})

describe('explain', () => {
  const answers = (subject: ReturnType<typeof bench>, host: string, text: string): readonly string[] =>
    explain(subject.table, { host, path: text }).map(({ answer }) => answer)

  test('tells host, path, plain HTTP and endpoints in the order in which they are decided', () => {
    const subject = bench([web, service('app'), slice('app', [ready('10.0.0.1'), ready('2001:db8::1')])])
    expect(answers(subject, 'a.example', '/x')).toEqual([
      'a.example',
      '/ (prefix; the longest prefix), by Ingress shop/web',
      'it is served',
      'shop/app/80: 10.0.0.1:8080, [2001:db8::1]:8080',
    ])
    expect(answers(subject, 'a.example', '/cart')).toContain('/cart (exact; an exact path wins), by Ingress shop/web')
    expect(answers(subject, 'a.example', '/cart').at(-1)).toBe('shop/cart/80 has none: 503')
  })

  test('tells where nothing matches and where a route is refused', () => {
    const refused = ingress({ annotations: { 'auth-url': 'http://x' }, rules: [rule('a.example', path('/x'))] })
    const subject = bench([refused])
    expect(answers(subject, 'b.example', '/')).toEqual(['none', 'none matches /: 404'])
    expect(answers(subject, 'a.example', '/x').at(-1)).toBe('no: every request gets 503 (UnsupportedAnnotation)')
    subject.apply(put(ingress({ name: 'any', defaultBackend: backendOf('app') })))
    expect(answers(subject, 'a.example', '/y')[1]).toBe('none: the default backend of Ingress shop/any')
    expect(answers(subject, 'b.example', '/y')[1]).toBe('none of this host: its default backend, by Ingress shop/any')
  })
})
