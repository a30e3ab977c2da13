import type {
  ConfigMap,
  EndpointSlice,
  Ingress,
  KubernetesObject,
  ObjectMeta,
  Secret,
  Service,
} from '../api/kubernetes.ts'

/**
 * What is kept in memory of an object that the API server sends: what routing reads, and nothing else. Status, owner
 * references and most labels are the larger part of a cluster's objects.
 */

const serviceNameLabel = 'kubernetes.io/service-name'

/** Keys of Secrets that a proxy has a use for. */
const secretKeys = ['tls.crt', 'tls.key', 'ca.crt', 'ca.crl']

export function ingestIngress(raw: KubernetesObject): Ingress {
  const { spec } = raw as Ingress
  const { labels, annotations } = raw.metadata
  const metadata = { ...identityOf(raw), ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) }
  return { apiVersion: raw.apiVersion, kind: 'Ingress', metadata, ...(spec ? { spec } : {}) }
}

export function ingestService(raw: KubernetesObject): Service {
  const { type, clusterIP, externalName, ports } = (raw as Service).spec ?? {}
  const spec = {
    ...(type ? { type } : {}),
    ...(clusterIP ? { clusterIP } : {}),
    ...(externalName ? { externalName } : {}),
    ...(ports ? { ports } : {}),
  }
  const { annotations } = raw.metadata
  const metadata = { ...identityOf(raw), ...(annotations ? { annotations } : {}) }
  return { apiVersion: raw.apiVersion, kind: 'Service', metadata, spec }
}

export function ingestEndpointSlice(raw: KubernetesObject): EndpointSlice {
  const slice = raw as EndpointSlice
  const service = raw.metadata.labels?.[serviceNameLabel]
  const metadata = { ...identityOf(raw), ...(service === undefined ? {} : { labels: { [serviceNameLabel]: service } }) }
  const endpoints = (slice.endpoints ?? []).map(({ addresses, conditions, zone, hints }) => ({
    addresses,
    ...(conditions ? { conditions } : {}),
    ...(zone === undefined ? {} : { zone }),
    ...(hints?.forZones === undefined ? {} : { hints: { forZones: hints.forZones } }),
  }))
  return {
    apiVersion: raw.apiVersion,
    kind: 'EndpointSlice',
    metadata,
    addressType: slice.addressType,
    endpoints,
    ports: slice.ports ?? [],
  }
}

export function ingestSecret(raw: KubernetesObject): Secret {
  const { type, data = {} } = raw as Secret
  const kept = Object.fromEntries(Object.entries(data).filter(([key]) => secretKeys.includes(key)))
  return {
    apiVersion: raw.apiVersion,
    kind: 'Secret',
    metadata: identityOf(raw),
    ...(type ? { type } : {}),
    data: kept,
  }
}

export function ingestConfigMap(raw: KubernetesObject): ConfigMap {
  return {
    apiVersion: raw.apiVersion,
    kind: 'ConfigMap',
    metadata: identityOf(raw),
    data: (raw as ConfigMap).data ?? {},
  }
}

function identityOf({ metadata }: KubernetesObject): ObjectMeta {
  const { name, namespace, uid, creationTimestamp } = metadata
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
  }
}
