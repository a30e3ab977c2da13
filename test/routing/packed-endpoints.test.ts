import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Backend, Endpoint } from '../../src/routing/model.ts'
import { lookAtEndpoints, packBackend, reviveBackends } from '../../src/routing/packed-backend.ts'
import { packEndpoints, unpackEndpoints } from '../../src/routing/packed-endpoints.ts'

const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.string())
const endpoint: fc.Arbitrary<Endpoint> = fc
  .tuple(
    address,
    fc.integer({ min: 1, max: 65_535 }),
    fc.option(fc.constantFrom('zone-1', 'zone-2', 'ß"\\'), { nil: undefined }),
  )
  .map(([address, port, zone]) => (zone === undefined ? { address, port } : { address, port, zone }))
const endpoints = fc.array(endpoint, { maxLength: 20 })

function backendOf(list: readonly Endpoint[]): Backend {
  return { id: 'shop/app/80', namespace: 'shop', service: 'app', port: '80', endpoints: list }
}

describe('packed endpoints', () => {
  test('come back as they were, in their order', () => {
    const property = fc.property(endpoints, list => {
      expect(unpackEndpoints(packEndpoints(list))).toEqual(list)
    })
    fc.assert(property)
  })

  test('keep fields that only some of them have', () => {
    const list = [
      { address: '10.0.0.1', port: 80 },
      { address: '10.0.0.2', port: 80, zone: 'a', later: ['x'] },
    ] as Endpoint[]
    expect(unpackEndpoints(packEndpoints(list))).toEqual(list)
  })

  test('take less than twenty bytes each where they are alike', () => {
    const list = Array.from({ length: 100 }, (_, pod) => ({
      address: `10.20.30.${pod}`,
      port: 8080,
      zone: `zone-${pod % 3}`,
    }))
    expect(packEndpoints(list).length).toBeLessThan(100 * 20)
  })
})

describe('a packed backend', () => {
  test('says the same before and after structuredClone carried it to a worker', () => {
    const property = fc.property(endpoints, list => {
      const backend = backendOf(list)
      const packed = packBackend(backend)
      expect({ ...packed, endpoints: packed.endpoints }).toMatchObject(backend)
      const revived = reviveBackends(structuredClone(new Map([[backend.id, packed]]))).get(backend.id)
      expect(revived?.endpoints).toEqual(list)
      expect(revived).toMatchObject({ id: backend.id, namespace: 'shop', service: 'app', port: '80' })
    })
    fc.assert(property)
  })

  test('unpacks its endpoints once in a worker, and holds none on the control thread', () => {
    const packed = packBackend(backendOf([{ address: '10.0.0.1', port: 80 }]))
    expect(packed.endpoints).not.toBe(packed.endpoints)
    const revived = reviveBackends(structuredClone(new Map([['x', packed]]))).get('x')
    if (revived === undefined) throw new Error('the backend was lost')
    expect(lookAtEndpoints(revived)).not.toBe(lookAtEndpoints(revived))
    expect(lookAtEndpoints(revived)).toEqual(revived.endpoints)
    expect(revived.endpoints).toBe(revived.endpoints)
  })

  test('lets pass what is not packed, and removals', () => {
    const plain = backendOf([{ address: '10.0.0.1', port: 80 }])
    const revived = reviveBackends(
      new Map([
        ['plain', plain],
        ['gone', undefined],
      ]),
    )
    expect(revived.get('plain')).toBe(plain)
    expect([...revived]).toContainEqual(['gone', undefined])
  })
})
