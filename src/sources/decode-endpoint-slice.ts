import type { EndpointSlice } from '../api/kubernetes.ts'
import type { ProtobufReader } from '../kube/protobuf-reader.ts'
import { decodeMetadata, eachField, required, type Writable } from './decode-metadata.ts'

type SliceEndpoint = NonNullable<EndpointSlice['endpoints']>[number]
type SlicePort = NonNullable<EndpointSlice['ports']>[number]

export function decodeEndpointSlice(reader: ProtobufReader): EndpointSlice {
  let metadata: EndpointSlice['metadata'] | undefined
  let addressType = ''
  const endpoints: SliceEndpoint[] = []
  const ports: SlicePort[] = []
  eachField(reader, field => {
    if (field === 1) metadata = decodeMetadata(reader.message(), 'its name and labels')
    else if (field === 2) endpoints.push(decodeEndpoint(reader.message()))
    else if (field === 3) ports.push(decodeSlicePort(reader.message()))
    else if (field === 4) addressType = reader.text()
    else return false
    return true
  })
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: required(metadata),
    addressType: addressType as EndpointSlice['addressType'],
    endpoints,
    ports,
  }
}

function decodeEndpoint(reader: ProtobufReader): SliceEndpoint {
  const addresses: string[] = []
  const endpoint: Writable<SliceEndpoint> = { addresses }
  eachField(reader, field => {
    if (field === 1) addresses.push(reader.text())
    else if (field === 2) endpoint.conditions = decodeConditions(reader.message())
    else if (field === 7) endpoint.zone = reader.text()
    else if (field === 8) endpoint.hints = decodeHints(reader.message())
    else return false
    return true
  })
  return endpoint
}

function decodeConditions(reader: ProtobufReader): NonNullable<SliceEndpoint['conditions']> {
  const conditions: Writable<NonNullable<SliceEndpoint['conditions']>> = {}
  eachField(reader, field => {
    if (field === 1) conditions.ready = reader.number() === 1
    else if (field === 2) conditions.serving = reader.number() === 1
    else if (field === 3) conditions.terminating = reader.number() === 1
    else return false
    return true
  })
  return conditions
}

function decodeHints(reader: ProtobufReader): NonNullable<SliceEndpoint['hints']> {
  const zones: { readonly name: string }[] = []
  eachField(reader, field => {
    if (field !== 1) return false
    const zone = reader.message()
    eachField(zone, part => {
      if (part !== 1) return false
      zones.push({ name: zone.text() })
      return true
    })
    return true
  })
  return zones.length === 0 ? {} : { forZones: zones }
}

function decodeSlicePort(reader: ProtobufReader): SlicePort {
  const port: Writable<SlicePort> = {}
  eachField(reader, field => {
    if (field === 1) port.name = reader.text()
    else if (field === 2) port.protocol = reader.text()
    else if (field === 3) port.port = reader.number()
    else return false
    return true
  })
  return port
}
