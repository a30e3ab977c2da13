import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cookieEnd, cookieValue, findCookie } from '../../src/http1/cookie-value.ts'
import { fieldValue } from '../../src/http1/field-value.ts'

const token = fc.stringMatching(/^[a-z][a-z0-9_-]{0,6}$/)
const value = fc.stringMatching(/^[!-:<-~]{0,6}$/)

describe('fieldValue', () => {
  const fields = 'Accept: */*\r\nX-USER: \t a b \r\nX-User: second\r\nX-User-Id:1\r\nEmpty:\r\n'

  test.each([
    ['accept', '*/*'],
    ['x-user', 'a b'],
    ['x-user-id', '1'],
    ['empty', ''],
    ['user', ''],
    ['x', ''],
    ['', ''],
    ['x-user_id', ''],
  ])('%s', (name, expected) => {
    expect(fieldValue(fields, name)).toBe(expected)
  })

  test('finds what splitting the lines finds', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(token, value), { maxLength: 6 }), token, (lines, name) => {
        const text = lines.map(([key, content]) => `${key.toUpperCase()}: ${content}\r\n`).join('')
        expect(fieldValue(text, name)).toBe(lines.find(([key]) => key === name)?.[1] ?? '')
      }),
    )
  })
})

describe('cookies', () => {
  test.each([
    ['', 'a', ''],
    ['a=1', 'a', '1'],
    ['a=1; b=2', 'b', '2'],
    ['ba=1;a=2', 'a', '2'],
    ['A=1', 'a', '1'],
    ['a', 'a', ''],
    ['a; a=2', 'a', '2'],
    ['x=a=1; a=2=3', 'a', '2=3'],
    ['a=1;', 'a', '1'],
    [';;; a=1', 'a', '1'],
    ['a=', 'a', ''],
    ['ab=1', 'a', ''],
  ])('%j: %s is %j', (cookie, name, expected) => {
    expect(cookieValue(cookie, name)).toBe(expected)
  })

  test('all of one name are found, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(token, value), { maxLength: 8 }), token, (cookies, name) => {
        const text = cookies.map(([key, content]) => `${key}=${content}`).join('; ')
        const found: string[] = []
        for (let at = findCookie(text, name, 0); at >= 0; at = findCookie(text, name, cookieEnd(text, at) + 1)) {
          found.push(text.slice(at, cookieEnd(text, at)))
        }
        expect(found).toEqual(cookies.filter(([key]) => key === name).map(([, content]) => content))
      }),
    )
  })

  test('no text makes it go on for ever or beyond the end', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '=', ';', ' ', '\t', '-'), maxLength: 40 }), text => {
        let steps = 0
        for (let at = findCookie(text, 'a', 0); at >= 0; at = findCookie(text, 'a', cookieEnd(text, at) + 1)) {
          expect(at).toBeLessThanOrEqual(text.length)
          expect(++steps).toBeLessThanOrEqual(text.length)
        }
      }),
    )
  })
})
