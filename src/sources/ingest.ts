import type {
  ConfigMap,
  EndpointSlice,
  Ingress,
  KubernetesObject,
  ObjectMeta,
  Secret,
  Service,
} from '../api/kubernetes.ts'
import { type PackedEndpointSlice, packEndpointSlice } from '../routing/packed-slice.ts'

/**
 * What is kept in memory of an object that the API server sends: what routing reads, and nothing else. Status, owner
 * references and most labels are the larger part of a cluster's objects.
 */

const serviceNameLabel = 'kubernetes.io/service-name'

/** Keys of Secrets that a proxy has a use for. */
const secretKeys = ['tls.crt', 'tls.key', 'ca.crt']

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

export function ingestEndpointSlice(raw: KubernetesObject): PackedEndpointSlice {
  const { addressType, endpoints, ports } = raw as EndpointSlice
  const { name, namespace, labels } = raw.metadata
  const service = labels?.[serviceNameLabel]
  const metadata = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(service === undefined ? {} : { labels: { [serviceNameLabel]: service } }),
  }
  const slice = { apiVersion: raw.apiVersion, kind: 'EndpointSlice', metadata, addressType } as const
  return packEndpointSlice({ ...slice, ports: ports ?? [], endpoints: endpoints ?? [] })
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
