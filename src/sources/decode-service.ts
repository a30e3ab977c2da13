import type { Service, ServicePort } from '../api/kubernetes.ts'
import type { ProtobufReader } from '../kube/protobuf-reader.ts'
import { decodeMetadata, eachField, required, type Writable } from './decode-metadata.ts'

type ServiceSpec = NonNullable<Service['spec']>

export function decodeService(reader: ProtobufReader): Service {
  let metadata: Service['metadata'] | undefined
  let spec: Service['spec'] = {}
  eachField(reader, field => {
    if (field === 1) metadata = decodeMetadata(reader.message(), 'its name')
    else if (field === 2) spec = decodeServiceSpec(reader.message())
    else return false
    return true
  })
  return { apiVersion: 'v1', kind: 'Service', metadata: required(metadata), spec }
}

function decodeServiceSpec(reader: ProtobufReader): ServiceSpec {
  const spec: Writable<ServiceSpec> = {}
  const ports: ServicePort[] = []
  eachField(reader, field => {
    if (field === 1) ports.push(decodeServicePort(reader.message()))
    else if (field === 3) spec.clusterIP = reader.text()
    else if (field === 4) spec.type = reader.text() as NonNullable<ServiceSpec['type']>
    else if (field === 10) spec.externalName = reader.text()
    else return false
    return true
  })
  if (ports.length > 0) spec.ports = ports
  return spec
}

function decodeServicePort(reader: ProtobufReader): ServicePort {
  const port: Writable<ServicePort> = { port: 0 }
  eachField(reader, field => {
    if (field === 1) port.name = reader.text()
    else if (field === 2) port.protocol = reader.text()
    else if (field === 3) port.port = reader.number()
    else if (field === 4) port.targetPort = decodeIntOrString(reader.message())
    else if (field === 5) port.nodePort = reader.number()
    else if (field === 6) port.appProtocol = reader.text()
    else return false
    return true
  })
  if (port.name === '') delete port.name
  if (port.nodePort === 0) delete port.nodePort
  return port
}

function decodeIntOrString(reader: ProtobufReader): number | string {
  let isText = false
  let number = 0
  let text = ''
  eachField(reader, field => {
    if (field === 1) isText = reader.number() === 1
    else if (field === 2) number = reader.number()
    else if (field === 3) text = reader.text()
    else return false
    return true
  })
  return isText ? text : number
}
