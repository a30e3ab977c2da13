import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { resolvePath, resolveTarget } from '../../src/http1/request-target.ts'

describe('a request target in origin-form', () => {
  it.each([
    ['/', '/'],
    ['/a/b?c=/../d', '/a/b?c=/../d'],
    ['/a/../b', '/b'],
    ['/a/./b/', '/a/b/'],
    ['/a/..', '/'],
    ['/a/.', '/a/'],
    ['/a/b/..?x', '/a/?x'],
    ['/../../x', '/x'],
    ['/pub/%2e%2e/adm', '/adm'],
    ['/pub/%2E./adm', '/adm'],
    ['/pub/.%2e/adm', '/adm'],
    ['/%2e/adm', '/adm'],
    ['/a//b', '/a//b'],
    ['//a//../b', '//a/b'],
    ['/a%2fb', '/a%2fb'],
    ['/a%5Cb', '/a%5Cb'],
    ['/...', '/...'],
    ['/.well-known/x', '/.well-known/x'],
    ['/..;/adm', '/..;/adm'],
    ['/%252e%252e/adm', '/%252e%252e/adm'],
    ['/a?%zz', '/a?%zz'],
  ])('%s is forwarded as %s', (raw, target) => {
    const path = target.replace(/\?.*/, '').replace('%2f', '%2F')
    expect(resolveTarget(raw, 'GET')).toMatchObject({ target, path, host: undefined })
  })

  it.each([
    ['/%61dm', '/adm'],
    ['/%41%5A%30%39%2D%2E%5f%7e', '/AZ09-._~'],
    ['/pub/%61?%61', '/pub/a'],
    ['/a%2fb%5c%25%3b%20%c3%a9', '/a%2Fb%5C%25%3B%20%C3%A9'],
    ['/%2561dm', '/%2561dm'],
  ])('%s is matched as %s, its escapes in the one form that routes know, and forwarded as it is', (raw, path) => {
    expect(resolveTarget(raw, 'GET')).toMatchObject({ target: raw, path })
  })

  it.each(['/..%2fadm', '/a%2f..%2Fadm', '/..%5cadm', '/%2e%2e%2fadm', '/a/.%2f', '/a%00b', '/a%zz', '/a%2', '/a%'])(
    '%s is refused',
    raw => {
      expect(resolveTarget(raw, 'GET')).toBeUndefined()
    },
  )

  const segment = fc.constantFrom('', '.', '..', '%2e', '%2E%2e', '.%2e', 'a', '..;', '%252e', 'a%2fb', '...')
  const segments = fc.array(segment, { minLength: 1, maxLength: 8 })

  it('never has a dot segment, and is resolved once and for all', () => {
    fc.assert(
      fc.property(segments, segments => {
        const path = resolvePath(`/${segments.join('/')}`) ?? ''
        expect(path.startsWith('/')).toBe(true)
        expect(decodeURIComponent(path).split('/')).not.toContain('..')
        expect(path.split('/')).not.toContain('.')
        expect(resolvePath(path)).toBe(path)
      }),
    )
  })

  it('is refused with a hidden dot segment anywhere', () => {
    fc.assert(
      fc.property(segments, segments, (before, after) => {
        expect(resolvePath(`/${[...before, '..%2f', ...after].join('/')}`)).toBeUndefined()
      }),
    )
  })
})

describe('a request target in another form', () => {
  it.each([
    ['http://b.test/x?y', 'GET', { scheme: 'http', target: '/x?y', path: '/x', authority: 'b.test', host: 'b.test' }],
    [
      'HTTPS://B.test:443/a/../x',
      'GET',
      { scheme: 'https', target: '/x', path: '/x', authority: 'B.test:443', host: 'b.test' },
    ],
    ['http://b.test', 'GET', { scheme: 'http', target: '/', path: '/', authority: 'b.test', host: 'b.test' }],
    ['http://b.test?x', 'GET', { scheme: 'http', target: '/?x', path: '/', authority: 'b.test', host: 'b.test' }],
    ['http://b.test', 'OPTIONS', { scheme: 'http', target: '*', path: '*', authority: 'b.test', host: 'b.test' }],
    ['*', 'OPTIONS', { scheme: undefined, target: '*', path: '*', authority: undefined, host: undefined }],
  ])('%s for %s is %o', (raw, method, expected) => {
    expect(resolveTarget(raw, method)).toEqual(expected)
  })

  it.each([
    '*',
    'abc',
    '@evil.test/',
    'ftp://a.test/',
    'http:/a.test',
    'http:///x',
    'http://u:p@a.test/',
    'a.test:80',
    '?x',
  ])('%s for GET is refused', raw => {
    expect(resolveTarget(raw, 'GET')).toBeUndefined()
  })
})
