import { expect, test } from 'vitest'
import { TableState } from '../../src/proxy/table-state.ts'
import { defaultSettings } from '../../src/routing/default-settings.ts'
import { RoutingTable } from '../../src/routing/table.ts'
import { host } from './in-process.ts'

const empty = { hosts: new Map(), backends: new Map(), certificates: new Map() }

test('a worker that starts later holds what one holds that saw every delta', () => {
  const state = new TableState()
  const early = new RoutingTable()
  const certificate = { id: 'test/c', certificate: 'c', key: 'k' }
  const backend = { id: 'test/app/80', namespace: 'test', service: 'app', port: '80', endpoints: [] }
  const deltas = [
    {
      ...empty,
      revision: 1,
      hosts: new Map([
        ['a.test', host('a.test', 'app')],
        ['b.test', host('b.test', 'app')],
      ]),
    },
    { ...empty, revision: 2, backends: new Map([[backend.id, backend]]), settings: defaultSettings },
    {
      ...empty,
      revision: 5,
      hosts: new Map([['a.test', undefined]]),
      certificates: new Map([[certificate.id, certificate]]),
    },
    { ...empty, revision: 6, defaultCertificate: certificate.id },
  ]
  for (const delta of deltas) {
    state.apply(delta)
    early.apply(delta)
  }
  const late = new RoutingTable()
  late.apply(state.full())
  expect(late.hosts()).toEqual(early.hosts())
  expect(late.backends()).toEqual(early.backends())
  expect(late.certificates()).toEqual(early.certificates())
  expect(late.defaultCertificate).toBe(early.defaultCertificate)
  expect(late.settings).toBe(early.settings)
  expect(late.revision).toBe(6)
})

test('the first revision may be 0: a source may be empty', () => {
  const state = new TableState()
  expect(state.full().revision).toBe(0)
  state.apply({ ...empty, revision: 0 })
  expect(() => state.apply({ ...empty, revision: 0 })).toThrow('revisions must grow')
})

test('a revision that does not grow is refused', () => {
  const state = new TableState()
  state.apply({ ...empty, revision: 2 })
  expect(() => state.apply({ ...empty, revision: 2 })).toThrow('revisions must grow')
})
