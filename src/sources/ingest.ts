import type {
  ConfigMap,
  EndpointSlice,
  Ingress,
  KubernetesObject,
  ObjectMeta,
  Secret,
  Service,
} from '../api/kubernetes.ts'
import { type PackedIngress, packIngress } from '../routing/packed-ingress.ts'
import { type PackedEndpointSlice, packEndpointSlice } from '../routing/packed-slice.ts'
import type { SharedValues } from './shared-values.ts'

/**
 * What is kept in memory of an object that the API server sends: what routing reads, and nothing else. Status, owner
 * references and most labels are the larger part of a cluster's objects.
 */

const serviceNameLabel = 'kubernetes.io/service-name'

/** Keys of Secrets that a proxy has a use for. */
const secretKeys = ['tls.crt', 'tls.key', 'ca.crt', 'ca.crl']

/** The whole object once more, as `kubectl apply` leaves it. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

export function ingestIngress(raw: KubernetesObject): PackedIngress {
  const { spec } = raw as Ingress
  const { labels, annotations } = raw.metadata
  const { [lastApplied]: _, ...kept } = annotations ?? {}
  const metadata = { ...identityOf(raw), ...(labels ? { labels } : {}), ...(annotations ? { annotations: kept } : {}) }
  return packIngress({ apiVersion: raw.apiVersion, kind: 'Ingress', metadata, ...(spec ? { spec } : {}) })
}

export function ingestService(raw: KubernetesObject, shared: SharedValues): Service {
  const { type, externalName, ports } = (raw as Service).spec ?? {}
  const spec = { ...(type ? { type } : {}), ...(externalName ? { externalName } : {}), ...(ports ? { ports } : {}) }
  return { apiVersion: raw.apiVersion, kind: 'Service', metadata: nameOf(raw), spec: shared.share(spec) }
}

export function ingestEndpointSlice(raw: KubernetesObject, shared: SharedValues): PackedEndpointSlice {
  const { addressType, endpoints, ports } = raw as EndpointSlice
  const service = raw.metadata.labels?.[serviceNameLabel]
  const metadata = { ...nameOf(raw), ...(service === undefined ? {} : { labels: { [serviceNameLabel]: service } }) }
  const slice = { apiVersion: raw.apiVersion, kind: 'EndpointSlice', metadata, addressType } as const
  const read = (ports ?? []).map(({ name, port, protocol }) => ({
    ...(name === undefined ? {} : { name }),
    ...(port === undefined ? {} : { port }),
    ...(protocol === undefined ? {} : { protocol }),
  }))
  return packEndpointSlice({ ...slice, ports: shared.share(read), endpoints: endpoints ?? [] })
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

function nameOf({ metadata }: KubernetesObject): ObjectMeta {
  const { name, namespace } = metadata
  return namespace === undefined ? { name } : { name, namespace }
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
