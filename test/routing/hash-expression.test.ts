import { describe, expect, test } from 'vitest'
import { readHashExpression } from '../../src/routing/hash-expression.ts'
import { bench, ingress, path, rule, service } from './objects.ts'

describe('an expression to hash by', () => {
  test.each([
    ['$remote_addr', [{ kind: 'remoteAddress' }]],
    ['$binary_remote_addr', [{ kind: 'remoteAddress' }]],
    ['$request_uri', [{ kind: 'requestUri' }]],
    ['$uri', [{ kind: 'path' }]],
    ['$host', [{ kind: 'host' }]],
    ['$http_X_User_Id', [{ kind: 'field', name: 'x-user-id' }]],
    ['${cookie_session}', [{ kind: 'cookie', name: 'session' }]],
    ['${request_uri}-text_1', [{ kind: 'requestUri' }, { kind: 'text', text: '-text_1' }]],
    ['$host$uri', [{ kind: 'host' }, { kind: 'path' }]],
    [
      'v2-${host}-$cookie_a',
      [{ kind: 'text', text: 'v2-' }, { kind: 'host' }, { kind: 'text', text: '-' }, { kind: 'cookie', name: 'a' }],
    ],
  ])('%s', (text, parts) => {
    expect(readHashExpression(text)).toEqual({ text, parts })
  })

  test.each([
    ['', 'nothing'],
    ['text', 'no variable: every request would go to one endpoint'],
    ['$scheme', 'a variable of nginx that is not known here'],
    ['$arg_user', 'another one'],
    ['$http_', 'a field without a name'],
    ['${cookie_}', 'a cookie without a name'],
    ['$', 'half a variable'],
    ['${host', 'another half'],
    ['$host }', 'a space'],
    ['$host"; return 200', 'text of nginx'],
    ['$host\n$uri', 'two lines'],
    [`$host${'a'.repeat(300)}`, 'too long a text'],
  ])('%s is none: %s', text => {
    expect(readHashExpression(text)).toBeUndefined()
  })

  test('that cannot be read refuses the routes of its Ingress, and no other', () => {
    const { ask, reasons } = bench([
      ingress({
        name: 'odd',
        annotations: { 'upstream-hash-by': '$scheme' },
        rules: [rule('odd.example', path('/'))],
      }),
      ingress({ name: 'plain', rules: [rule('plain.example', path('/'))] }),
      service('app'),
    ])
    expect(ask('odd.example', '/')).toBe('503 InvalidAnnotation')
    expect(ask('plain.example', '/')).toBe('app')
    expect(reasons()).toEqual([
      'InvalidAnnotation shop/odd metadata.annotations[nginx.ingress.kubernetes.io/upstream-hash-by]',
    ])
  })
})
