import { describe, expect, test } from 'vitest'
import { EndpointGuard, notAllowedCode } from '../../src/proxy/endpoint-guard.ts'

const strict = new EndpointGuard({ allowLoopback: false })
const local = new EndpointGuard({ allowLoopback: true })

test.each(['127.0.0.1', '::1', '::ffff:127.0.0.1', '169.254.169.254', 'fe80::1', '0.0.0.0', '::'])(
  '%s is no endpoint',
  address => {
    expect(strict.allows(address)).toBe(false)
  },
)

test.each([
  '64:ff9b::169.254.169.254',
  '64:ff9b::7f00:1',
  '::127.0.0.1',
  '::a9fe:a9fe',
  '2002:7f00:1::1',
  '2002:a9fe:a9fe::',
])('%s leads to an IPv4 address that is none, through a translator or a tunnel', address => {
  expect(strict.allows(address)).toBe(false)
  expect(local.allows(address)).toBe(false)
})

test.each(['64:ff9b::10.0.0.1', '2002:a00:1::1', '10.0.0.1', '2001:db8::1', '192.168.1.1', 'a.name.test'])(
  '%s may be one',
  address => {
    expect(strict.allows(address)).toBe(true)
  },
)

test('loopback may be one where that is allowed, link-local addresses never', () => {
  expect(local.allows('127.0.0.1')).toBe(true)
  expect(local.allows('169.254.169.254')).toBe(false)
})

describe('a name that resolves to loopback', () => {
  async function resolve(guard: EndpointGuard): Promise<string> {
    return new Promise(resolve => {
      guard.lookup('localhost', { all: false }, (error, address) => resolve(error?.code ?? JSON.stringify(address)))
    })
  }

  test('is refused', async () => {
    expect(await resolve(strict)).toBe(notAllowedCode)
  })

  test('is connected to where that is allowed', async () => {
    expect(['"127.0.0.1"', '"::1"']).toContain(await resolve(local))
  })
})
