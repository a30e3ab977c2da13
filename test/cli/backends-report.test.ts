import { describe, expect, test } from 'vitest'
import { formatBackends, type PodBackends } from '../../src/cli/backends-report.ts'
import { listHeldBackends } from '../../src/proxy/held-backends.ts'
import { defaultSettings } from '../../src/routing/default-settings.ts'

function pod(name: string, ...addresses: readonly string[]): PodBackends {
  const endpoints = addresses.map(address => ({ address, port: 8080 }))
  const backend = { id: 'shop/web/http', namespace: 'shop', service: 'web', port: 'http', endpoints }
  return { pod: name, backends: listHeldBackends([backend], { hosts: [], settings: defaultSettings }) }
}

describe('formatBackends', () => {
  test('the table says once what all pods agree on', () => {
    const text = formatBackends([pod('a', '10.0.0.1', '10.0.0.2'), pod('b', '10.0.0.1', '10.0.0.2')], 'table', false)
    expect(text.split('\n').map(line => line.split(/ {3,}/))).toEqual([
      ['BACKEND', 'ENDPOINTS', 'PODS'],
      ['shop-web-http', '10.0.0.1:8080,10.0.0.2:8080', '2/2'],
      ['upstream-default-backend', '-', '2/2'],
      [''],
    ])
  })

  test('the table shows pods that differ', () => {
    const text = formatBackends([pod('a', '10.0.0.1'), pod('b', 'fd00::1')], 'table', false)
    expect(text).toMatch(/^shop-web-http +10\.0\.0\.1:8080 +1\/2$/m)
    expect(text).toMatch(/^shop-web-http +\[fd00::1\]:8080 +1\/2$/m)
  })

  test('wide has a line for each pod and backend', () => {
    const lines = formatBackends([pod('a', '10.0.0.1'), pod('b', '10.0.0.1')], 'wide', false)
      .trim()
      .split('\n')
    expect(lines[0]).toMatch(/^POD +BACKEND +SERVICE +PORT +BALANCING +ENDPOINTS$/)
    expect(lines).toHaveLength(5)
    expect(lines[1]).toMatch(/^a +shop-web-http +shop\/web +http +round_robin +10\.0\.0\.1:8080$/)
  })

  test('json gives the pods with their backends, or the backends alone of one pod', () => {
    const answers = [pod('a', '10.0.0.1')]
    expect(JSON.parse(formatBackends(answers, 'json', false))).toEqual(answers)
    expect(JSON.parse(formatBackends(answers, 'json', true))).toEqual(answers[0]?.backends)
  })

  test('name gives each name once', () => {
    expect(formatBackends([pod('a', '10.0.0.1'), pod('b')], 'name', false)).toBe(
      'shop-web-http\nupstream-default-backend\n',
    )
  })

  test('yaml is the same document as json', async () => {
    const { parse } = await import('yaml')
    const answers = [pod('a', '10.0.0.1'), pod('b')]
    expect(parse(formatBackends(answers, 'yaml', false))).toEqual(answers)
  })
})
