import { expect, test } from 'vitest'
import type { EndpointSlice } from '../../src/api/kubernetes.ts'
import { endpointsOf } from '../../src/routing/packed-slice.ts'
import { ingestEndpointSlice } from '../../src/sources/ingest.ts'
import { SharedValues } from '../../src/sources/shared-values.ts'

test('of an EndpointSlice is kept what routing reads, hints of zones included, and nothing else', () => {
  const raw: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'shop', name: 'app-1', labels: { 'kubernetes.io/service-name': 'app', other: 'label' } },
    addressType: 'IPv4',
    endpoints: [
      {
        addresses: ['10.0.0.1'],
        conditions: { ready: true },
        nodeName: 'node-1',
        zone: 'east',
        hints: { forZones: [{ name: 'east' }] },
        targetRef: { kind: 'Pod', name: 'app-1' },
      },
      { addresses: ['10.0.0.2'] },
    ],
  }
  const { packed, ...kept } = ingestEndpointSlice(raw, new SharedValues())
  expect(kept).toEqual({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'shop', name: 'app-1', labels: { 'kubernetes.io/service-name': 'app' } },
    addressType: 'IPv4',
    ports: [],
  })
  expect(packed).not.toContain('node-1')
  expect(endpointsOf({ ...kept, packed })).toMatchObject([
    { addresses: ['10.0.0.1'], conditions: { ready: true }, zone: 'east', hints: { forZones: [{ name: 'east' }] } },
    { addresses: ['10.0.0.2'] },
  ])
})
