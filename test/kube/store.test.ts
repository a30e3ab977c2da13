import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Store, type StoredVersion } from '../../src/kube/store.ts'

interface Item {
  readonly app: string
}

function itemStore(onListenerError?: (error: unknown) => void): Store<Item, 'app'> {
  return new Store({ indexers: { app: (item: Item) => [item.app] }, ...(onListenerError ? { onListenerError } : {}) })
}

function version(resourceVersion: string, app: string): StoredVersion<Item> {
  return { resourceVersion, object: { app } }
}

describe('Store', () => {
  it('tells listeners what changed, and nothing when the version is the same', () => {
    const store = itemStore()
    const heard: unknown[] = []
    store.subscribe((...change) => heard.push(change))
    store.set('a/x', version('1', 'shop'))
    store.set('a/x', version('1', 'shop'))
    store.set('a/x', version('2', 'cart'))
    store.delete('a/x')
    store.delete('a/x')
    expect(heard).toEqual([
      ['a/x', { app: 'shop' }, undefined],
      ['a/x', { app: 'cart' }, { app: 'shop' }],
      ['a/x', undefined, { app: 'cart' }],
    ])
  })

  it('calls every listener though one throws, and none that unsubscribed', () => {
    const errors: unknown[] = []
    const store = itemStore(error => errors.push(error))
    const heard: string[] = []
    store.subscribe(() => {
      throw new Error('listener fails')
    })
    const unsubscribe = store.subscribe(key => heard.push(key))
    store.set('a/x', version('1', 'shop'))
    unsubscribe()
    store.set('a/y', version('1', 'shop'))
    expect(heard).toEqual(['a/x'])
    expect(errors).toHaveLength(2)
    expect(store.size).toBe(2)
  })

  it('becomes equal to a complete list, telling only the differences', () => {
    const store = itemStore()
    store.set('a/kept', version('1', 'shop'))
    store.set('a/gone', version('1', 'shop'))
    const heard: string[] = []
    store.subscribe((key, object) => heard.push(`${object ? 'set' : 'deleted'} ${key}`))
    store.replace(
      new Map([
        ['a/kept', version('1', 'shop')],
        ['a/new', version('3', 'cart')],
      ]),
    )
    expect(heard).toEqual(['set a/new', 'deleted a/gone'])
    expect([...store.keys()]).toEqual(['a/kept', 'a/new'])
  })

  it('finds by index exactly what a search through all would find, after any changes', () => {
    const change = fc.record({
      key: fc.constantFrom('a/1', 'a/2', 'b/1'),
      app: fc.option(fc.constantFrom('shop', 'cart')),
    })
    fc.assert(
      fc.property(fc.array(change), changes => {
        const store = itemStore()
        for (const [index, { key, app }] of changes.entries()) {
          if (app === null) store.delete(key)
          else store.set(key, version(String(index), app))
        }
        const all = [...store.values()]
        for (const app of ['shop', 'cart']) {
          expect(store.byIndex('app', app)).toHaveLength(all.filter(item => item.app === app).length)
        }
        expect([...store.indexValues('app')].sort()).toEqual([...new Set(all.map(item => item.app))].sort())
      }),
    )
  })
})
