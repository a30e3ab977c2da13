import { describe, expect, test } from 'vitest'
import { CompiledHost, findHost, findRoute, hostCandidates } from '../../src/routing/match.ts'
import type { Host, Route } from '../../src/routing/model.ts'
import { bench, ingress, path, rule } from './objects.ts'

type Row = readonly [kind: string, paths: readonly string[], request: string, expected: string]

/** https://kubernetes.io/docs/concepts/services-networking/ingress/#examples, one row after the other. */
const documented: readonly Row[] = [
  ['Prefix', ['/'], '/', '/'],
  ['Prefix', ['/'], '/any/path', '/'],
  ['Exact', ['/foo'], '/foo', '/foo'],
  ['Exact', ['/foo'], '/bar', '404'],
  ['Exact', ['/foo'], '/foo/', '404'],
  ['Exact', ['/foo/'], '/foo', '404'],
  ['Prefix', ['/foo'], '/foo', '/foo'],
  ['Prefix', ['/foo'], '/foo/', '/foo'],
  ['Prefix', ['/foo/'], '/foo', '/foo/'],
  ['Prefix', ['/foo/'], '/foo/', '/foo/'],
  ['Prefix', ['/aaa/bb'], '/aaa/bbb', '404'],
  ['Prefix', ['/aaa/bbb'], '/aaa/bbb', '/aaa/bbb'],
  ['Prefix', ['/aaa/bbb/'], '/aaa/bbb', '/aaa/bbb/'],
  ['Prefix', ['/aaa/bbb'], '/aaa/bbb/', '/aaa/bbb'],
  ['Prefix', ['/aaa/bbb'], '/aaa/bbb/ccc', '/aaa/bbb'],
  ['Prefix', ['/aaa/bbb'], '/aaa/bbbxyz', '404'],
  ['Prefix', ['/', '/aaa'], '/aaa/ccc', '/aaa'],
  ['Prefix', ['/', '/aaa', '/aaa/bbb'], '/aaa/bbb', '/aaa/bbb'],
  ['Prefix', ['/', '/aaa', '/aaa/bbb'], '/ccc', '/'],
  ['Prefix', ['/aaa'], '/ccc', '404'],
]

/** Beyond the table: what its text says, and what the conformance suite asks. */
const beyond: readonly Row[] = [
  ['Exact', ['/foo'], '/FOO', '404'],
  ['Prefix', ['/foo'], '/FOO', '404'],
  ['Prefix', ['/aaa'], '/aaaccc', '404'],
  ['Exact', ['/foo/'], '/foo/', '/foo/'],
  ['ImplementationSpecific', ['/foo'], '/foo/bar', '/foo'],
  ['Prefix', [''], '/any', ''],
  ['Exact', [''], '/', ''],
  ['Exact', [''], '/any', '404'],
  ['Prefix', ['/a', '/a/b/c'], '/a/b', '/a'],
  ['Prefix', ['/a', '/a/b/c'], '/a/b/cc', '/a'],
  ['Prefix', ['/a'], '/a//b', '/a'],
  // What a request may hold: escapes in normal form.
  ['Exact', ['/%61b'], '/ab', '/%61b'],
  ['Prefix', ['/caf%c3%a9'], '/caf%C3%A9/x', '/caf%c3%a9'],
  ['Prefix', ['/café'], '/caf%C3%A9', '/café'],
  ['Exact', ['/a b'], '/a%20b', '/a b'],
  ['Exact', ['/a\ud800'], '/a%EF%BF%BD', '/a\ud800'],
]

function answer([kind, paths, request]: Row): string {
  const pathType = kind as 'Exact' | 'Prefix' | 'ImplementationSpecific'
  const declared = paths.map((text, index) => path(text, `s${index}`, pathType))
  const { table } = bench([ingress({ rules: [rule('a.example', ...declared)] })])
  const backend = table.find('a.example', request)?.route.backend
  const index = paths.findIndex((_, position) => backend === `shop/s${position}/80`)
  return paths[index] ?? '404'
}

describe('path types', () => {
  test.each(documented)('the documentation: %s %j asked for %s gives %j', (...row) => {
    expect(answer(row)).toBe(row[3])
  })

  test.each(beyond)('%s %j asked for %s gives %j', (...row) => {
    expect(answer(row)).toBe(row[3])
  })

  test('the documentation: of an Exact and a Prefix path that are equal the Exact one wins', () => {
    const { ask } = bench([
      ingress({ rules: [rule('a.example', path('/foo', 'prefix'), path('/foo', 'exact', 'Exact'))] }),
    ])
    // No Service exists, so the backends are asked for by their names in the table.
    expect(ask('a.example', '/foo')).toBe('exact')
    expect(ask('a.example', '/foo/')).toBe('prefix')
    expect(ask('a.example', '/foo/bar')).toBe('prefix')
  })
})

describe('host wildcards of the documentation', () => {
  const { ask } = bench([ingress({ rules: [rule('*.foo.com', path('/', 'wild'))] })])

  test.each([
    ['bar.foo.com', 'wild'],
    ['baz.bar.foo.com', '404'],
    ['foo.com', '404'],
    ['.foo.com', '404'],
    ['', '404'],
  ])('*.foo.com asked for %j gives %s', (host, expected) => {
    expect(ask(host, '/')).toBe(expected)
  })

  test('an exact host wins over a wildcard and owns all its paths', () => {
    const { ask: asked } = bench([
      ingress({ rules: [rule('*.foo.com', path('/', 'wild')), rule('bar.foo.com', path('/only', 'exact'))] }),
    ])
    expect(asked('bar.foo.com', '/only')).toBe('exact')
    expect(asked('bar.foo.com', '/else')).toBe('404')
    expect(asked('qux.foo.com', '/else')).toBe('wild')
  })

  test('candidates go from the host to its wildcard to every host', () => {
    expect(hostCandidates('a.b.example')).toEqual(['a.b.example', '*.b.example', ''])
    expect(hostCandidates('localhost')).toEqual(['localhost', ''])
    expect(findHost(new Map([['', 'any']]), 'a.example')).toBe('any')
    expect(findHost(new Map([['*.example', 'wild']]), 'a.example')).toBe('wild')
    expect(findHost(new Map(), 'a.example')).toBeUndefined()
  })
})

describe('hostile paths', () => {
  const route = (text: string): Route => ({
    id: text,
    path: text,
    match: 'prefix',
    ingress: { namespace: 'shop', name: 'web' },
    backend: undefined,
    refusal: undefined,
    options: {},
  })
  const host: Host = {
    name: 'a.example',
    routes: [route('/a/b'), route('/__proto__'), route('/')],
    defaultRoute: undefined,
    tls: false,
    certificate: undefined,
  }
  const compiled = new CompiledHost(host)

  test.each([
    ['/__proto__/x', '/__proto__'],
    ['/constructor', '/'],
    ['*', '/'],
    ['', '/'],
    [`/a/b${'/'.repeat(16_000)}`, '/a/b'],
    ['/'.repeat(16_000), '/'],
  ])('a path like %.20s finds its own route', (text, expected) => {
    expect(findRoute(compiled, text)?.path).toBe(expected)
  })
})
