import type { Ingress, IngressBackend, IngressPath } from '../api/kubernetes.ts'
import type { ProtobufReader } from '../kube/protobuf-reader.ts'
import { decodeMetadata, eachField, required, type Writable } from './decode-metadata.ts'

type IngressSpec = NonNullable<Ingress['spec']>
type IngressRule = NonNullable<IngressSpec['rules']>[number]
type IngressTls = NonNullable<IngressSpec['tls']>[number]

export function decodeIngress(reader: ProtobufReader): Ingress {
  let metadata: Ingress['metadata'] | undefined
  let spec: Ingress['spec'] = {}
  eachField(reader, field => {
    if (field === 1) metadata = decodeMetadata(reader.message(), 'all of it')
    else if (field === 2) spec = decodeIngressSpec(reader.message())
    else return false
    return true
  })
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: required(metadata), spec }
}

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
  const { ingressClassName, defaultBackend } = spec
  return {
    ...(ingressClassName === undefined ? {} : { ingressClassName }),
    ...(defaultBackend === undefined ? {} : { defaultBackend }),
    ...(tls.length === 0 ? {} : { tls }),
    ...(rules.length === 0 ? {} : { rules }),
  }
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
  let path = ''
  let pathType: IngressPath['pathType']
  let backend: IngressBackend = {}
  eachField(reader, field => {
    if (field === 1) path = reader.text()
    else if (field === 2) backend = decodeBackend(reader.message())
    else if (field === 3) pathType = reader.text() as NonNullable<IngressPath['pathType']>
    else return false
    return true
  })
  return { ...(path === '' ? {} : { path }), ...(pathType === undefined ? {} : { pathType }), backend }
}

function decodeBackend(reader: ProtobufReader): IngressBackend {
  const backend: Writable<IngressBackend> = {}
  eachField(reader, field => {
    if (field === 3) backend.resource = decodeResource(reader.message())
    else if (field === 4) backend.service = decodeServiceBackend(reader.message())
    else return false
    return true
  })
  return backend
}

function decodeResource(reader: ProtobufReader): NonNullable<IngressBackend['resource']> {
  const resource: Writable<NonNullable<IngressBackend['resource']>> = { kind: '', name: '' }
  let apiGroup: string | undefined
  eachField(reader, field => {
    if (field === 1) apiGroup = reader.text()
    else if (field === 2) resource.kind = reader.text()
    else if (field === 3) resource.name = reader.text()
    else return false
    return true
  })
  return apiGroup === undefined ? resource : { apiGroup, ...resource }
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
