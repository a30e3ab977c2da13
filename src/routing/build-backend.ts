import type { Service, ServicePort } from '../api/kubernetes.ts'
import { refuseEndpointAddress, refuseExternalName } from './address-policy.ts'
import { compareText } from './compare-text.ts'
import { type BackendReference, quote } from './ingress-model.ts'
import type { Backend, Endpoint } from './model.ts'
import { endpointsOf, type PackedEndpointSlice } from './packed-slice.ts'

/** What is wrong with a backend: a problem of each Ingress that refers to it. */
interface BackendFault {
  readonly reason: 'ServiceNotFound' | 'PortNotFound' | 'ExternalNameRefused' | 'EndpointRefused'
  readonly message: string
}

export interface BuiltBackend {
  readonly backend: Backend
  readonly fault: BackendFault | undefined
}

interface BackendInput {
  readonly service: Service | undefined
  readonly slices: readonly PackedEndpointSlice[]
  readonly allowLoopback: boolean
  /** Where the proxy runs; undefined where that is not known. */
  readonly zone: string | undefined
}

type Resolved = Pick<Backend, 'endpoints' | 'near'> & { readonly fault?: BackendFault }

/**
 * The endpoints of one port of a Service. Without any, requests get 503: a Service that is missing is a fault, one
 * whose pods are not ready is not.
 * https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#conditions
 */
export function buildBackend(reference: BackendReference, input: BackendInput): BuiltBackend {
  const { id, namespace, service, port } = reference
  const { fault, ...endpoints } = resolve(reference, input)
  return { backend: { id, namespace, service, port, ...endpoints }, fault }
}

function resolve(reference: BackendReference, input: BackendInput): Resolved {
  const { service } = input
  const name = `${reference.namespace}/${reference.service}`
  if (service === undefined) {
    return {
      endpoints: [],
      fault: {
        reason: 'ServiceNotFound',
        message: `requests get 503: there is no Service ${name}; create it or correct the name`,
      },
    }
  }
  const port = servicePort(service, reference.port)
  if (service.spec?.type === 'ExternalName') return externalEndpoint(service, reference, port)
  if (port === undefined) return { endpoints: [], fault: portNotFound(name, service, reference.port) }
  return sliceEndpoints(port, input)
}

/** By number or by name: a name always holds a letter. Only TCP carries HTTP/1.1 and HTTP/2. */
function servicePort(service: Service, port: string): ServicePort | undefined {
  const number = portNumber(port)
  return (service.spec?.ports ?? []).find(
    candidate => isTcp(candidate) && (number === undefined ? candidate.name === port : candidate.port === number),
  )
}

function isTcp(port: { readonly protocol?: string }): boolean {
  return port.protocol === undefined || port.protocol === '' || port.protocol === 'TCP'
}

function portNumber(port: string): number | undefined {
  const number = /^[1-9]\d{0,4}$/.test(port) ? Number(port) : undefined
  return number === undefined || number > 65_535 ? undefined : number
}

function portNotFound(name: string, service: Service, port: string): BackendFault {
  const ports = (service.spec?.ports ?? []).filter(isTcp).slice(0, 10)
  const allowed = ports.map(one =>
    one.name === undefined || one.name === '' ? `${one.port}` : `${one.port} (${one.name})`,
  )
  const list = allowed.length === 0 ? 'it has no TCP port' : `its TCP ports are ${allowed.join(', ')}`
  return {
    reason: 'PortNotFound',
    message: `requests get 503: Service ${name} has no TCP port ${quote(port)}; ${list}`,
  }
}

function externalEndpoint(service: Service, reference: BackendReference, port: ServicePort | undefined): Resolved {
  const written = (service.spec?.externalName ?? '').toLowerCase()
  const address = written.endsWith('.') ? written.slice(0, -1) : written
  const name = `${reference.namespace}/${reference.service}`
  const refusal = refuseExternalName(address)
  if (refusal !== undefined) {
    const message = `requests get 503: externalName ${quote(written)} of Service ${name} is not allowed (${refusal}); it must be the DNS name of another host`
    return { endpoints: [], fault: { reason: 'ExternalNameRefused', message } }
  }
  const target = port === undefined ? portNumber(reference.port) : targetNumber(port)
  if (target === undefined) {
    const message = `requests get 503: port ${quote(reference.port)} of Service ${name} is no number; a Service of type ExternalName needs a numeric port`
    return { endpoints: [], fault: { reason: 'PortNotFound', message } }
  }
  return { endpoints: [{ address, port: target }] }
}

function targetNumber(port: ServicePort): number {
  return typeof port.targetPort === 'number' && port.targetPort > 0 ? port.targetPort : port.port
}

interface Candidates {
  readonly ready: Endpoint[]
  readonly terminating: Endpoint[]
  /** Ready ones whose hints name the proxy's zone; undefined when one of all the ready ones has no hint. */
  hinted: Endpoint[] | undefined
}

function sliceEndpoints(port: ServicePort, input: BackendInput): Resolved {
  const candidates: Candidates = { ready: [], terminating: [], hinted: input.zone === undefined ? undefined : [] }
  for (const slice of input.slices) collect(slice, { ports: slicePorts(slice, port), candidates, zone: input.zone })
  const refused = new Set<string>()
  const allowed = ({ address }: Endpoint): boolean => {
    const isAllowed = refuseEndpointAddress(address, input.allowLoopback) === undefined
    if (!isAllowed) refused.add(address)
    return isAllowed
  }
  const ready = candidates.ready.filter(allowed)
  const endpoints = sortedOnce(ready.length > 0 ? ready : candidates.terminating.filter(allowed))
  const near = nearOf(endpoints, candidates.hinted)
  if (refused.size === 0) return { endpoints, ...near }
  const shown = [...refused].sort().slice(0, 3).map(quote).join(', ')
  const message = `endpoint addresses ${shown} get no traffic: loopback, link-local and other addresses that lead back to the proxy's own node are not allowed`
  return { endpoints, ...near, fault: { reason: 'EndpointRefused', message } }
}

function nearOf(endpoints: readonly Endpoint[], hinted: readonly Endpoint[] | undefined): Pick<Backend, 'near'> {
  if (hinted === undefined || hinted.length === 0) return {}
  const keys = new Set(hinted.map(({ address, port }) => `${address}:${port}`))
  const near = endpoints.flatMap(({ address, port }, index) => (keys.has(`${address}:${port}`) ? [index] : []))
  return near.length === 0 || near.length === endpoints.length ? {} : { near }
}

/** Port numbers of the pods behind a port of the Service: the one of the same name. */
function slicePorts(slice: PackedEndpointSlice, port: ServicePort): readonly number[] {
  const ports = slice.ports ?? []
  // A headless Service may have slices without ports: every port of its pods is meant.
  if (ports.length === 0) return [targetNumber(port)]
  return ports
    .filter(candidate => isTcp(candidate) && (candidate.name ?? '') === (port.name ?? ''))
    .map(candidate => candidate.port)
    .filter(number => number !== undefined)
}

interface Collecting {
  readonly ports: readonly number[]
  readonly candidates: Candidates
  readonly zone: string | undefined
}

function collect(slice: PackedEndpointSlice, { ports, candidates, zone }: Collecting): void {
  // Names are for Services of type ExternalName alone, whose targets are judged at every resolution.
  if (slice.addressType === 'FQDN') return
  for (const endpoint of endpointsOf(slice)) {
    const { addresses, conditions } = endpoint
    const ready = conditions?.ready !== false
    if (!ready && !(conditions?.serving === true && conditions.terminating === true)) continue
    const list = ready ? candidates.ready : candidates.terminating
    const first = list.length
    for (const address of addresses) for (const port of ports) list.push(endpointAt(address, port, endpoint.zone))
    if (ready && zone !== undefined && list.length > first) {
      noteHint(candidates, endpoint.hints?.forZones ?? [], { zone, endpoints: list.slice(first) })
    }
  }
}

function endpointAt(address: string, port: number, zone: string | undefined): Endpoint {
  return zone === undefined ? { address, port } : { address, port, zone }
}

/**
 * Hints say which zones an endpoint is meant for. They count only when every ready endpoint has one, and only where
 * one names our zone: else all are used.
 * https://kubernetes.io/docs/concepts/services-networking/topology-aware-routing/#safeguards
 */
function noteHint(
  candidates: Candidates,
  forZones: readonly { readonly name: string }[],
  { zone, endpoints }: { readonly zone: string; readonly endpoints: readonly Endpoint[] },
): void {
  if (forZones.length === 0) candidates.hinted = undefined
  else if (forZones.some(({ name }) => name === zone)) candidates.hinted?.push(...endpoints)
}

/** In an order that does not depend on that of the slices, each address and port once. */
function sortedOnce(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const sorted = [...endpoints].sort(compareEndpoints)
  return sorted.filter((endpoint, index) => {
    const before = sorted[index - 1]
    return before?.address !== endpoint.address || before.port !== endpoint.port
  })
}

function compareEndpoints(one: Endpoint, other: Endpoint): number {
  return (
    compareText(one.address, other.address) || one.port - other.port || compareText(one.zone ?? '', other.zone ?? '')
  )
}
