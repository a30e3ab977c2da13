import { describe, expect, it } from 'vitest'
import {
  fieldOf,
  foldName,
  HOP_BY_HOP,
  IDENTITY,
  KNOWN_FIELDS,
  OTHER,
  slotOfName,
} from '../../src/http1/field-names.ts'
import { NAME } from '../../src/http1/octets.ts'

function fieldNamed(name: string): number {
  const bytes = Buffer.from(name, 'latin1')
  const hash = bytes.reduce((hash, octet) => foldName(hash, NAME[octet] ?? 0), 0)
  return fieldOf(bytes, 0, bytes.length, hash)
}

describe('known field names', () => {
  it('have a slot each', () => {
    expect(new Set(KNOWN_FIELDS.map(([name]) => slotOfName(name))).size).toBe(KNOWN_FIELDS.length)
  })

  it.each(KNOWN_FIELDS)('%s is recognised in any case', (name, field) => {
    expect(fieldNamed(name)).toBe(field)
    expect(fieldNamed(name.toUpperCase())).toBe(field)
    expect(fieldNamed(`y${name}`)).toBe(OTHER)
    expect(fieldNamed(name.slice(1))).toBe(OTHER)
  })

  it.each(['X_Forwarded_For', 'X-Forwarded_Proto', 'x_real_ip', 'X_REQUEST_ID', 'X_Original_URL', 'SSL_Client_Verify'])(
    '%s is an alias of a claim of identity',
    name => {
      expect(fieldNamed(name)).toBe(IDENTITY)
    },
  )

  it.each(['Transfer_Encoding', 'content_length', 'Keep_Alive'])('%s is an alias that is not passed on', name => {
    expect(fieldNamed(name)).toBe(HOP_BY_HOP)
  })

  it.each(['X-Forwarded-Prefix', 'X-Original-URI', 'ssl-client-subject-dn', 'X-Forwarded-Port'])(
    '%s is a claim of identity by its family',
    name => {
      expect(fieldNamed(name)).toBe(IDENTITY)
    },
  )

  it.each(['X-Forwarded', 'User_Agent', 'X-Originals', 'Set-Cookie', 'Sec-WebSocket-Key', '__proto__', 'constructor'])(
    '%s is just copied',
    name => {
      expect(fieldNamed(name)).toBe(OTHER)
    },
  )
})
