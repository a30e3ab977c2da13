import { describe, expect, test } from 'vitest'
import type { IngressClass } from '../../src/api/kubernetes.ts'
import { backendOf, bench, drop, ingress, path, put, rule, service } from './objects.ts'

function ingressClass(name: string, isDefault: boolean): IngressClass {
  const annotations = { 'ingressclass.kubernetes.io/is-default-class': String(isDefault) }
  return { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name, annotations }, spec: {} }
}

const rules = [rule('a.example', path('/'))]
const legacy = (name: string): Record<string, string> => ({ 'kubernetes.io/ingress.class': name })

describe('which Ingresses are served', () => {
  test('the class named in the spec decides, and the older annotation only without it', () => {
    const { translator } = bench([
      ingress({ name: 'ours', rules }),
      ingress({ name: 'theirs', rules, ingressClassName: 'other' }),
      ingress({ name: 'annotated', rules, ingressClassName: '', annotations: legacy('public') }),
      ingress({ name: 'annotated-for-them', rules, ingressClassName: '', annotations: legacy('other') }),
      ingress({ name: 'spec-wins', rules, ingressClassName: 'other', annotations: legacy('public') }),
      ingress({ name: 'without', rules, ingressClassName: '' }),
    ])
    expect(translator.served().map(({ name }) => name)).toEqual(['annotated', 'ours'])
  })

  test('the default class also serves those that name none, but none of another class', () => {
    const isDefault = { name: 'public', isDefault: true, controller: '' }
    const { translator } = bench(
      [
        ingress({ name: 'without', rules, ingressClassName: '' }),
        ingress({ name: 'annotated', rules, ingressClassName: '', annotations: legacy('other') }),
        ingress({ name: 'theirs', rules, ingressClassName: 'other' }),
      ],
      { ingressClass: isDefault },
    )
    expect(translator.served()).toEqual([{ namespace: 'shop', name: 'without' }])
  })

  test('with class objects, the annotation of the IngressClass makes it the default, and takes it back', () => {
    const without = ingress({ rules, ingressClassName: '' })
    const { apply, ask } = bench([without, ingressClass('other', true)], { classes: 'objects' })
    expect(ask('a.example', '/')).toBe('404')
    const { changed } = apply(put(ingressClass('public', true)))
    expect(ask('a.example', '/')).toBe('app')
    expect(changed).toEqual([{ kind: 'IngressClass', namespace: '', name: 'public' }])
    apply(drop(ingressClass('public', true)))
    expect(ask('a.example', '/')).toBe('404')
  })

  test('with a fixed class, IngressClass objects are not looked at', () => {
    const { ask } = bench([ingress({ rules, ingressClassName: '' }), ingressClass('public', true)])
    expect(ask('a.example', '/')).toBe('404')
  })

  test('namespaces and labels outside the scope are invisible: no route and no problem', () => {
    const labels = { team: 'shop' }
    const broken = { annotations: { 'auth-url': 'http://a.example' } }
    const scope = { namespaces: new Set(['shop']), ingressSelector: { matchLabels: labels } }
    const { translator } = bench(
      [
        ingress({ name: 'in', rules, labels }),
        ingress({ name: 'unlabelled', rules, ...broken }),
        ingress({ name: 'elsewhere', namespace: 'other', rules, labels, ...broken }),
      ],
      scope,
    )
    expect(translator.served()).toEqual([{ namespace: 'shop', name: 'in' }])
    expect(translator.problems().map(({ object }) => object.name)).toEqual(['in'])
  })

  test('an Ingress of another class has no problems and refers to no Secret', () => {
    const { translator } = bench([
      ingress({ rules: [rule('a_b c', path('x'))], tls: [{ secretName: 'none' }], ingressClassName: 'other' }),
    ])
    expect(translator.problems()).toEqual([])
    expect(translator.references().secrets.size).toBe(0)
  })

  test('a class, scope or label that changes takes effect at once', () => {
    const { apply, ask, reconfigure } = bench([ingress({ rules })])
    apply(put(ingress({ rules, ingressClassName: 'other' })))
    expect(ask('a.example', '/')).toBe('404')
    reconfigure({ ingressClass: { name: 'other', isDefault: false, controller: '' } })
    expect(ask('a.example', '/')).toBe('app')
    reconfigure({ namespaces: new Set(['elsewhere']) })
    expect(ask('a.example', '/')).toBe('404')
    reconfigure({ namespaces: null, ingressSelector: { matchLabels: { team: 'shop' } } })
    expect(ask('a.example', '/')).toBe('404')
    apply(put(ingress({ rules, ingressClassName: 'other', labels: { team: 'shop' } })))
    expect(ask('a.example', '/')).toBe('app')
  })
})

describe('which Ingress gets a path', () => {
  const claim = (name: string, created: number, of = name): ReturnType<typeof ingress> =>
    ingress({ name, created, rules: [rule('a.example', path('/', of))] })

  test('the oldest, whatever the order in which they are seen; the other is told', () => {
    for (const order of [
      [claim('young', 2), claim('old', 1)],
      [claim('old', 1), claim('young', 2)],
    ]) {
      const { ask, reasons } = bench([...order, service('old'), service('young')])
      expect(ask('a.example', '/')).toBe('old')
      expect(reasons()).toEqual(['PathConflict shop/young spec.rules[0].http.paths[0].path'])
    }
  })

  test('of two of the same second the one whose name comes first', () => {
    const { ask } = bench([claim('b', 1), claim('a', 1)])
    expect(ask('a.example', '/')).toBe('a')
  })

  test('the next one gets it when the oldest goes, and its problem is resolved', () => {
    const { ask, apply } = bench([claim('old', 1), claim('young', 2), service('old'), service('young')])
    const { problems, changed } = apply(drop(claim('old', 1)))
    expect(ask('a.example', '/')).toBe('young')
    expect(problems.added).toEqual([])
    expect(problems.resolved.map(({ reason, object }) => `${reason} ${object.name}`)).toEqual(['PathConflict young'])
    expect(problems.resolved[0]?.message).toContain('Ingress shop/old')
    expect(changed).toEqual([{ kind: 'Ingress', namespace: 'shop', name: 'old' }])
  })

  test('the same path with another type is no conflict, and hosts of several Ingresses merge', () => {
    const { ask, reasons } = bench([
      ingress({ name: 'one', rules: [rule('a.example', path('/x', 'one'))] }),
      ingress({ name: 'two', rules: [rule('A.Example.', path('/x', 'two', 'Exact'), path('/y', 'two'))] }),
      service('one'),
      service('two'),
    ])
    expect(ask('a.example', '/x')).toBe('two')
    expect(ask('a.example', '/x/z')).toBe('one')
    expect(ask('a.example', '/y')).toBe('two')
    expect(reasons()).toEqual([])
  })

  test('a path twice in one Ingress is served once and told', () => {
    const { ask, reasons } = bench([
      ingress({ rules: [rule('a.example', path('/x', 'one'), path('/x/', 'two', 'ImplementationSpecific'))] }),
      service('one'),
      service('two'),
    ])
    expect(ask('a.example', '/x')).toBe('one')
    expect(reasons()).toEqual(['PathConflict shop/web spec.rules[0].http.paths[1].path'])
  })

  test('a refused route keeps its path: what is refused does not fall to another Ingress', () => {
    const { ask } = bench([
      ingress({
        name: 'old',
        created: 1,
        annotations: { 'auth-url': 'http://x' },
        rules: [rule('a.example', path('/'))],
      }),
      claim('young', 2),
    ])
    expect(ask('a.example', '/')).toBe('503 UnsupportedAnnotation')
  })
})

describe('default backends', () => {
  const catchAll = ingress({ name: 'any', defaultBackend: backendOf('fallback') })

  test('one alone is for every host and path', () => {
    const { ask } = bench([catchAll])
    expect(ask('a.example', '/')).toBe('fallback')
    expect(ask('', '/deep/path')).toBe('fallback')
  })

  test('it takes what the paths of a host leave over, and rules without host do not', () => {
    const rulesOf = [rule('a.example', path('/x', 'own')), rule(undefined, path('/', 'anyhost'))]
    const { ask, apply } = bench([ingress({ rules: rulesOf })])
    expect(ask('a.example', '/x')).toBe('own')
    expect(ask('a.example', '/y')).toBe('404')
    expect(ask('b.example', '/y')).toBe('anyhost')
    apply(put(catchAll))
    expect(ask('a.example', '/y')).toBe('fallback')
    expect(ask('b.example', '/y')).toBe('anyhost')
  })

  test('beside rules it is for the hosts of those rules only', () => {
    const { ask } = bench([
      ingress({
        defaultBackend: backendOf('own-default'),
        rules: [rule('a.example', path('/x', 'own')), { host: 'b.example' }],
      }),
      ingress({ name: 'other', rules: [rule('c.example', path('/x', 'other'))] }),
    ])
    expect(ask('a.example', '/x')).toBe('own')
    expect(ask('a.example', '/y')).toBe('own-default')
    expect(ask('b.example', '/')).toBe('own-default')
    expect(ask('c.example', '/y')).toBe('404')
    expect(ask('d.example', '/')).toBe('404')
  })

  test('a rule for / wins over a default backend of an older Ingress', () => {
    const { ask } = bench([
      ingress({
        name: 'old',
        created: 1,
        defaultBackend: backendOf('older'),
        rules: [rule('a.example', path('/x', 'old'))],
      }),
      ingress({ name: 'young', created: 2, rules: [rule('a.example', path('/', 'young'))] }),
    ])
    expect(ask('a.example', '/y')).toBe('young')
  })

  test('of two the oldest wins and the other is told', () => {
    const { ask, reasons } = bench([
      ingress({ name: 'young', created: 2, defaultBackend: backendOf('young') }),
      ingress({ name: 'old', created: 1, defaultBackend: backendOf('old') }),
      service('old'),
      service('young'),
    ])
    expect(ask('a.example', '/')).toBe('old')
    expect(reasons()).toEqual(['PathConflict shop/young spec.defaultBackend'])
  })
})

describe('bad rules harm only themselves', () => {
  test.each([['no/slash'], ['//double'], ['/a/../b'], ['/a/.'], ['/a%2Fb']])(
    'path %j is skipped with a problem, the others are served',
    text => {
      const { ask, reasons } = bench([ingress({ rules: [rule('a.example', path(text), path('/ok'))] }), service('app')])
      expect(ask('a.example', '/ok')).toBe('app')
      expect(reasons()).toEqual(['InvalidPath shop/web spec.rules[0].http.paths[0].path'])
    },
  )

  test.each(['192.0.2.1', 'a.*.example', '*', 'a_b c', 'a.example:80', '-.example', `${'a'.repeat(300)}.example`])(
    'host %.30j is skipped with a problem',
    host => {
      const { table, reasons } = bench([
        ingress({ rules: [rule(host, path('/')), rule('ok.example', path('/'))] }),
        service('app'),
      ])
      expect(table.hosts().map(({ name }) => name)).toEqual(['ok.example'])
      expect(reasons()).toEqual(['InvalidHost shop/web spec.rules[0].host'])
    },
  )

  test('a backend of kind resource answers 503, and so does one without port', () => {
    const resource = { resource: { kind: 'Bucket', name: 'static' } }
    const { ask, reasons } = bench([
      ingress({
        rules: [
          rule('a.example', { path: '/r', pathType: 'Prefix', backend: resource }),
          rule('a.example', { path: '/p', pathType: 'Prefix', backend: { service: { name: 'app' } } }),
        ],
      }),
    ])
    expect(ask('a.example', '/r')).toBe('503 UnsupportedBackend')
    expect(ask('a.example', '/p')).toBe('503 UnsupportedBackend')
    expect(reasons()).toEqual([
      'UnsupportedBackend shop/web spec.rules[0].http.paths[0].backend',
      'PortNotFound shop/web spec.rules[1].http.paths[0].backend.service.port',
    ])
  })

  test('messages quote the text of a user bounded and on one line', () => {
    const { translator } = bench([ingress({ rules: [rule('a.example', path(`x\r\n${'y'.repeat(10_000)}`))] })])
    const message = translator.problems()[0]?.message ?? ''
    expect(message).not.toMatch(/[\r\n]/)
    expect(message.length).toBeLessThan(300)
  })
})
