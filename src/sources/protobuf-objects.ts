import type { EndpointSlice, Ingress, IngressBackend, IngressPath, Service, ServicePort } from '../api/kubernetes.ts'
import { MalformedProtobuf, type ProtobufReader } from '../kube/protobuf-reader.ts'

/**
 * The objects of long lists as the API server sends them in its own encoding, with the fields that `ingest` reads. The
 * numbers are those of `generated.proto` in k8s.io/api and never change. Empty texts and zeros stand for absent where
 * JSON leaves them out.
 */

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/** Calls `read` for every field of a message; a field that it does not know (false) is skipped. */
function eachField(reader: ProtobufReader, read: (field: number) => boolean): void {
  for (let field = reader.next(); field !== 0; field = reader.next()) if (!read(field)) reader.skip()
}

export function decodeIngress(reader: ProtobufReader): Ingress {
  let metadata: Ingress['metadata'] | undefined
  let spec: Ingress['spec'] = {}
  eachField(reader, field => {
    if (field === 1) metadata = decodeMetadata(reader.message())
    else if (field === 2) spec = decodeIngressSpec(reader.message())
    else return false
    return true
  })
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: required(metadata), spec }
}

export function decodeService(reader: ProtobufReader): Service {
  let metadata: Service['metadata'] | undefined
  let spec: Service['spec'] = {}
  eachField(reader, field => {
    if (field === 1) metadata = decodeMetadata(reader.message())
    else if (field === 2) spec = decodeServiceSpec(reader.message())
    else return false
    return true
  })
  return { apiVersion: 'v1', kind: 'Service', metadata: required(metadata), spec }
}

export function decodeEndpointSlice(reader: ProtobufReader): EndpointSlice {
  let metadata: EndpointSlice['metadata'] | undefined
  let addressType = ''
  const endpoints: SliceEndpoint[] = []
  const ports: SlicePort[] = []
  eachField(reader, field => {
    if (field === 1) metadata = decodeMetadata(reader.message())
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

function required<T>(metadata: T | undefined): T {
  if (metadata === undefined) throw new MalformedProtobuf('an object has no metadata')
  return metadata
}

function decodeMetadata(reader: ProtobufReader): Ingress['metadata'] {
  const metadata: Writable<Ingress['metadata']> = { name: '' }
  const labels: Record<string, string> = {}
  const annotations: Record<string, string> = {}
  eachField(reader, field => {
    if (field === 1) metadata.name = reader.text()
    else if (field === 3) metadata.namespace = reader.text()
    else if (field === 5) metadata.uid = reader.text()
    else if (field === 6) metadata.resourceVersion = reader.text()
    else if (field === 8) metadata.creationTimestamp = decodeTime(reader.message())
    else if (field === 11) decodeEntry(reader.message(), labels)
    else if (field === 12) decodeEntry(reader.message(), annotations)
    else return false
    return true
  })
  if (metadata.namespace === '') delete metadata.namespace
  if (Object.keys(labels).length > 0) metadata.labels = labels
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations
  return metadata
}

/** Seconds in field 1; the API server keeps no fractions. */
function decodeTime(reader: ProtobufReader): string {
  let seconds = 0
  eachField(reader, field => {
    if (field !== 1) return false
    seconds = reader.number()
    return true
  })
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

function decodeEntry(reader: ProtobufReader, into: Record<string, string>): void {
  let key = ''
  let value = ''
  eachField(reader, field => {
    if (field === 1) key = reader.text()
    else if (field === 2) value = reader.text()
    else return false
    return true
  })
  into[key] = value
}

type IngressSpec = NonNullable<Ingress['spec']>
type IngressRule = NonNullable<IngressSpec['rules']>[number]
type IngressTls = NonNullable<IngressSpec['tls']>[number]

function decodeIngressSpec(reader: ProtobufReader): IngressSpec {
  const spec: Writable<IngressSpec> = {}
  const tls: IngressTls[] = []
  const rules: IngressRule[] = []
  eachField(reader, field => {
    if (field === 1) spec.defaultBackend = decodeBackend(reader.message())
    else if (field === 2) tls.push(decodeTls(reader.message()))
    else if (field === 3) rules.push(decodeRule(reader.message()))
    else if (field === 4) spec.ingressClassName = reader.text()
    else return false
    return true
  })
  if (tls.length > 0) spec.tls = tls
  if (rules.length > 0) spec.rules = rules
  return spec
}

function decodeTls(reader: ProtobufReader): IngressTls {
  const hosts: string[] = []
  let secretName = ''
  eachField(reader, field => {
    if (field === 1) hosts.push(reader.text())
    else if (field === 2) secretName = reader.text()
    else return false
    return true
  })
  return { ...(hosts.length === 0 ? {} : { hosts }), ...(secretName === '' ? {} : { secretName }) }
}

function decodeRule(reader: ProtobufReader): IngressRule {
  let host = ''
  let http: IngressRule['http']
  eachField(reader, field => {
    if (field === 1) host = reader.text()
    else if (field === 2) http = decodeRuleValue(reader.message())
    else return false
    return true
  })
  return { ...(host === '' ? {} : { host }), ...(http === undefined ? {} : { http }) }
}

function decodeRuleValue(reader: ProtobufReader): IngressRule['http'] {
  let paths: IngressPath[] | undefined
  eachField(reader, field => {
    if (field !== 1) return false
    paths = decodePaths(reader.message())
    return true
  })
  return paths === undefined ? undefined : { paths }
}

function decodePaths(reader: ProtobufReader): IngressPath[] {
  const paths: IngressPath[] = []
  eachField(reader, field => {
    if (field !== 1) return false
    paths.push(decodePath(reader.message()))
    return true
  })
  return paths
}

function decodePath(reader: ProtobufReader): IngressPath {
  const path: Writable<IngressPath> = { backend: {} }
  eachField(reader, field => {
    if (field === 1) path.path = reader.text()
    else if (field === 2) path.backend = decodeBackend(reader.message())
    else if (field === 3) path.pathType = reader.text() as NonNullable<IngressPath['pathType']>
    else return false
    return true
  })
  if (path.path === '') delete path.path
  return path
}

function decodeBackend(reader: ProtobufReader): IngressBackend {
  const backend: Writable<IngressBackend> = {}
  eachField(reader, field => {
    if (field !== 4) return false
    backend.service = decodeServiceBackend(reader.message())
    return true
  })
  return backend
}

function decodeServiceBackend(reader: ProtobufReader): NonNullable<IngressBackend['service']> {
  let name = ''
  let portName = ''
  let number = 0
  eachField(reader, field => {
    if (field === 1) name = reader.text()
    else if (field === 2) {
      const port = reader.message()
      eachField(port, part => {
        if (part === 1) portName = port.text()
        else if (part === 2) number = port.number()
        else return false
        return true
      })
    } else return false
    return true
  })
  return { name, port: { ...(portName === '' ? {} : { name: portName }), ...(number === 0 ? {} : { number }) } }
}

type ServiceSpec = NonNullable<Service['spec']>

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

type SliceEndpoint = NonNullable<EndpointSlice['endpoints']>[number]
type SlicePort = NonNullable<EndpointSlice['ports']>[number]

function decodeEndpoint(reader: ProtobufReader): SliceEndpoint {
  const addresses: string[] = []
  const endpoint: Writable<SliceEndpoint> = { addresses }
  eachField(reader, field => {
    if (field === 1) addresses.push(reader.text())
    else if (field === 2) endpoint.conditions = decodeConditions(reader.message())
    else if (field === 6) endpoint.nodeName = reader.text()
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
