import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EndpointSlice } from '../../src/api/kubernetes.ts'
import { endpointsOf, packEndpointSlice } from '../../src/routing/packed-slice.ts'
import { slice } from './objects.ts'

type SliceEndpoint = NonNullable<EndpointSlice['endpoints']>[number]

const condition = fc.constantFrom(true, false, null, undefined)
const zone = fc.constantFrom(undefined, 'zone-1', 'zone-2', '"')
const anyEndpoint: fc.Arbitrary<SliceEndpoint> = fc
  .record({
    addresses: fc.oneof(fc.array(fc.ipV4(), { minLength: 1, maxLength: 1 }), fc.array(fc.string(), { maxLength: 3 })),
    conditions: fc.option(fc.record({ ready: condition, serving: condition, terminating: condition }), {
      nil: undefined,
    }),
    zone,
    hints: fc.option(fc.array(fc.constantFrom('zone-1', 'zone-2', 'zone-3'), { maxLength: 3 }), { nil: undefined }),
    nodeName: fc.constantFrom(undefined, 'node-1'),
  })
  .map(({ conditions, hints, ...rest }) => ({
    ...rest,
    ...(conditions === undefined ? {} : { conditions: definedOf(conditions) }),
    ...(hints === undefined ? {} : { hints: { forZones: hints.map(name => ({ name })) } }),
  })) as fc.Arbitrary<SliceEndpoint>

function definedOf(conditions: object): object {
  return Object.fromEntries(Object.entries(conditions).filter(([, value]) => value !== undefined))
}

/** What routing may ask of an endpoint. */
function asked({ addresses, conditions, zone: ownZone, hints }: SliceEndpoint): unknown {
  const { ready = null, serving = null, terminating = null } = conditions ?? {}
  return { addresses, ready, serving, terminating, zone: ownZone, hints: hints?.forZones?.map(({ name }) => name) }
}

describe('a packed EndpointSlice', () => {
  test('answers all that routing asks as the slice did', () => {
    const property = fc.property(fc.array(anyEndpoint, { maxLength: 12 }), endpoints => {
      const packed = packEndpointSlice(slice('app', endpoints))
      expect(endpointsOf(packed).map(asked)).toEqual(endpoints.map(asked))
    })
    fc.assert(property)
  })

  test('keeps its labels, ports and address type, and nothing of its endpoints but the text', () => {
    const packed = packEndpointSlice(slice('app', [{ addresses: ['10.0.0.1'], nodeName: 'node-1' }]))
    expect(packed).toMatchObject({ addressType: 'IPv4', ports: [{ port: 8080 }], metadata: { name: 'app-1' } })
    expect(packed).not.toHaveProperty('endpoints')
    expect(packed.packed).not.toContain('node-1')
  })

  test('may have none', () => {
    expect(endpointsOf(packEndpointSlice({ ...slice('app', []), endpoints: null }))).toEqual([])
  })
})
