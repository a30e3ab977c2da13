import { honouredAnnotations } from '../../../src/routing/annotations.ts'
import { type FuzzTarget, must, mustEqual } from '../fuzz-target.ts'

/** A time in the past is how a cookie is taken back. */
const mayBeNegative: ReadonlySet<string> = new Set(['session-cookie-expires', 'session-cookie-max-age'])

/** The value of any annotation that is honoured. */
export const annotationValues: FuzzTarget = {
  name: 'annotation-values',
  dictionary: [
    'true',
    'False',
    '0',
    '60',
    '8m',
    '1k',
    '-1',
    '+5',
    '1e9',
    '10.0.0.0/8',
    '::/0',
    '2001:db8::1',
    '/33',
    ',',
    ', ',
    ':8080',
    '[::1]',
    '\n',
    '\r\nX: y',
    '\0',
    '$host',
    'a.test',
    '999999999999999',
  ],
  seeds: () => ['true', '60', '8m', '3', '10.0.0.0/8, 192.168.0.1,2001:db8::/32', 'app.example.com:8080', '[::1]:80'],
  check(octets) {
    const text = octets.toString('latin1').trim()
    let kind = ''
    for (const { key, read } of Object.values(honouredAnnotations)) {
      const value: unknown = read(text)
      kind += value === undefined ? '-' : '+'
      mustEqual(read(text), value, `${key} read again`)
      for (const leaf of leavesOf(value)) {
        must(
          typeof leaf !== 'number' || (Number.isFinite(leaf) && (leaf >= 0 || mayBeNegative.has(key))),
          `${key} is the number ${String(leaf)}`,
        )
        must(typeof leaf !== 'string' || /^[\x20-\x7e]*$/.test(leaf), `${key} is the text ${String(leaf)}`)
      }
    }
    return kind
  },
}

function leavesOf(value: unknown): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [value]
  return Object.values(value).flatMap(leavesOf)
}
