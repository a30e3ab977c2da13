import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { instanceConfigurationKey } from '../../src/api/names.ts'
import type { InstanceConfiguration } from '../../src/api/settings.ts'
import { defaultSettings } from '../../src/routing/default-settings.ts'
import { readInstanceConfiguration } from '../../src/routing/instance-configuration.ts'
import { resolveSettings } from '../../src/routing/settings.ts'

const plans = join(import.meta.dirname, '../golden/operator/plans')

const written: InstanceConfiguration = {
  instance: { namespace: 'shop', name: 'public' },
  ingressClass: { name: 'public', isDefault: true, controller: 'ingressfleet.dev/ingress-controller' },
  namespaces: ['shop', 'cart'],
  ingressSelector: {
    matchLabels: { tier: 'public' },
    matchExpressions: [{ key: 'team', operator: 'In', values: ['a', 'b'] }],
  },
  secretNamespaces: ['cart'],
  defaultCertificateSecretName: 'public-default-tls',
  settings: defaultSettings,
}

function read(change: object): ReturnType<typeof readInstanceConfiguration> {
  return readInstanceConfiguration(JSON.stringify({ ...written, ...change }))
}

/** Settings as JSON may hold them, with `value` in place of what is at `path`; undefined takes it away. */
function settingsWith(path: string, value: unknown): object {
  const settings = structuredClone(defaultSettings) as unknown as Record<string, unknown>
  const names = path.split('.')
  const last = names.pop() ?? ''
  const parent = names.reduce((around, name) => around[name] as Record<string, unknown>, settings)
  if (value === undefined) delete parent[last]
  else parent[last] = value
  return { settings }
}

function pathsOf(value: object, prefix = ''): string[] {
  return Object.entries(value as Readonly<Record<string, unknown>>).flatMap(([name, inner]) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? [`${prefix}${name}`, ...pathsOf(inner, `${prefix}${name}.`)]
      : [`${prefix}${name}`],
  )
}

test.each(readdirSync(plans))('what the operator writes is read as it is: %s', name => {
  const text = parseAllDocuments(readFileSync(join(plans, name, 'out.yaml'), 'utf8'))
    .map(document => document.toJS() as { data?: Record<string, string> } | null)
    .map(object => object?.data?.[instanceConfigurationKey])
    .find(data => data !== undefined)
  expect(readInstanceConfiguration(text ?? '')).toEqual({ configuration: JSON.parse(text ?? '') as unknown })
})

test('other settings than the defaults are read as they are', () => {
  const { settings } = resolveSettings(
    {
      workers: 3,
      accessLog: 'json',
      redirectStatus: 301,
      loadBalance: { algorithm: 'ewma', slowStartSeconds: 30 },
      tls: { profile: 'Modern' },
      timeouts: { readSeconds: 7 },
    },
    { 'proxy-next-upstream': 'error timeout', 'use-forwarded-headers': 'true', 'proxy-request-buffering': 'on' },
    { apiVersion: 'v1', kind: 'IngressDeployment', namespace: 'shop', name: 'public' },
  )
  expect(settings).not.toEqual(defaultSettings)
  expect(read({ settings })).toEqual({ configuration: { ...written, settings } })
  expect(read({ namespaces: null, ingressSelector: null }).configuration).toMatchObject({
    namespaces: null,
    ingressSelector: null,
  })
})

test.each(pathsOf(defaultSettings))('without %s, which an older operator does not write, its default applies', path => {
  expect(read(settingsWith(path, undefined))).toEqual({ configuration: written })
})

test('without any settings the defaults apply', () => {
  expect(read({ settings: {} })).toEqual({ configuration: written })
  expect(read({ settings: undefined })).toEqual({ configuration: written })
})

test('what is missing is filled in beside what is not', () => {
  const settings = { timeouts: { readMs: 1 }, tls: { minVersion: 'TLSv1.3' }, accessLog: 'off' }
  expect(read({ settings }).configuration?.settings).toEqual({
    ...defaultSettings,
    timeouts: { ...defaultSettings.timeouts, readMs: 1 },
    tls: { ...defaultSettings.tls, minVersion: 'TLSv1.3' },
    accessLog: 'off',
  })
})

test('what a newer operator writes beyond it is left out', () => {
  const settings = { ...defaultSettings, http3: { on: true }, timeouts: { ...defaultSettings.timeouts, napMs: 1 } }
  expect(read({ settings, shards: 3 })).toEqual({ configuration: written })
})

test.each(pathsOf(defaultSettings))('%s of a wrong type is found, and named', path => {
  for (const value of [null, {}, [], ['x', 1], 'no such word', -1, true]) {
    const changed = settingsWith(path, value)
    const isMeant =
      (value === true && typeof valueAt(path) === 'boolean') ||
      (value !== null && typeof value === 'object' && !Array.isArray(value) && isGroup(path))
    if (isMeant || (path === 'retries.on' && Array.isArray(value) && value.length === 0)) continue
    expect({ value, ...read(changed) }).toMatchObject({ value, fault: { field: `settings.${path}` } })
  }
})

function valueAt(path: string): unknown {
  return path.split('.').reduce<unknown>((around, name) => (around as Record<string, unknown>)[name], defaultSettings)
}

function isGroup(path: string): boolean {
  const value = valueAt(path)
  return typeof value === 'object' && !Array.isArray(value)
}

test.each<[object, string, unknown]>([
  [settingsWith('workers', 0), 'settings.workers', 'must be "auto" or a whole number of at least 1; it is 0'],
  [settingsWith('workers', 'many'), 'settings.workers', 'must be "auto" or a whole number of at least 1; it is "many"'],
  [settingsWith('timeouts.readMs', '5'), 'settings.timeouts.readMs', 'must be a number of at least 0; it is "5"'],
  [settingsWith('timeouts', 5), 'settings.timeouts', 'must be an object; it is 5'],
  [settingsWith('accessLog', 'xml'), 'settings.accessLog', 'must be one of "off", "text", "json"; it is "xml"'],
  [settingsWith('redirectStatus', 300), 'settings.redirectStatus', 'must be one of 301, 302, 307, 308; it is 300'],
  [settingsWith('tls.cipherSuites', []), 'settings.tls.cipherSuites', 'must be a list of names, not empty; it is []'],
  [settingsWith('tls.maxVersion', 'TLSv1'), 'settings.tls', expect.stringContaining('lowest version TLSv1.2 is above')],
  [{ settings: 1 }, 'settings', 'must be an object; it is 1'],
  [{ instance: { namespace: 'shop' } }, 'instance.name', 'must be a text, not empty; it is absent'],
  [{ ingressClass: { ...written.ingressClass, isDefault: 'yes' } }, 'ingressClass.isDefault', expect.anything()],
  [{ namespaces: undefined }, 'namespaces', 'must be a list of texts or null; it is absent'],
  [{ namespaces: 'shop' }, 'namespaces', 'must be a list of texts or null; it is "shop"'],
  [{ namespaces: ['shop', 1] }, 'namespaces', expect.anything()],
  [{ secretNamespaces: null }, 'secretNamespaces', 'must be a list of texts; it is null'],
  [{ ingressSelector: undefined }, 'ingressSelector', expect.anything()],
  [{ ingressSelector: { matchLabels: { a: 1 } } }, 'ingressSelector', expect.anything()],
  [{ ingressSelector: { matchExpressions: [{ key: 'a' }] } }, 'ingressSelector', expect.anything()],
  [{ ingressSelector: { matchExpressions: [null] } }, 'ingressSelector', expect.anything()],
  [{ defaultCertificateSecretName: '' }, 'defaultCertificateSecretName', expect.anything()],
])('%j is refused', (change, field, message) => {
  expect(read(change)).toEqual({ fault: { field, message } })
})

test.each(['', '{', 'null', '[]', '"text"'])('%j is no configuration', text => {
  expect(readInstanceConfiguration(text)).toMatchObject({ fault: { field: '' } })
})

test('a value that is shown is cut short', () => {
  const { fault } = read(settingsWith('accessLog', 'x'.repeat(100_000)))
  expect(fault?.message.length).toBeLessThan(200)
})
