import type { IngressDeployment } from '../api/ingressdeployment.ts'
import type { ConfigMap, EndpointSlice, Ingress, IngressClass, Namespace, Secret, Service } from '../api/kubernetes.ts'
import { apiVersion } from '../api/names.ts'
import { list, map, type Shape } from './shape.ts'

/** An object that a folder may hold. */
export type ManifestObject =
  | Ingress
  | IngressClass
  | Service
  | EndpointSlice
  | Secret
  | ConfigMap
  | Namespace
  | IngressDeployment

interface KindRow {
  readonly apiVersion: string
  readonly namespaced: boolean
  /** What an API server would insist on, as far as routing reads it. */
  readonly shape: Shape
}

const metadata: Shape = {
  required: ['name'],
  fields: {
    name: 'string',
    namespace: 'string',
    uid: 'string',
    creationTimestamp: 'string',
    labels: map('string'),
    annotations: map('string'),
  },
}

const backend: Shape = {
  fields: {
    service: { required: ['name'], fields: { name: 'string', port: { fields: { number: 'number', name: 'string' } } } },
    resource: { required: ['kind', 'name'], fields: { apiGroup: 'string', kind: 'string', name: 'string' } },
  },
}

const ingressSpec: Shape = {
  fields: {
    ingressClassName: 'string',
    defaultBackend: backend,
    tls: list({ fields: { hosts: list('string'), secretName: 'string' } }),
    rules: list({
      fields: {
        host: 'string',
        http: {
          required: ['paths'],
          fields: {
            paths: list({
              required: ['backend'],
              fields: { path: 'string', pathType: ['Exact', 'Prefix', 'ImplementationSpecific'], backend },
            }),
          },
        },
      },
    }),
  },
}

const serviceSpec: Shape = {
  fields: {
    type: ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'],
    clusterIP: 'string',
    externalName: 'string',
    selector: map('string'),
    ports: list({
      required: ['port'],
      fields: {
        name: 'string',
        port: 'number',
        targetPort: 'number or string',
        protocol: 'string',
        appProtocol: 'string',
      },
    }),
  },
}

const endpoint: Shape = {
  required: ['addresses'],
  fields: {
    addresses: list('string'),
    conditions: { fields: { ready: 'boolean', serving: 'boolean', terminating: 'boolean' } },
    nodeName: 'string',
    zone: 'string',
    hints: { fields: { forZones: list({ required: ['name'], fields: { name: 'string' } }) } },
  },
}

/** The kinds that are read; others are passed over, so that a folder may hold all of an application. */
export const manifestKinds: Readonly<Record<ManifestObject['kind'], KindRow>> = {
  Ingress: {
    apiVersion: 'networking.k8s.io/v1',
    namespaced: true,
    shape: { required: ['metadata'], fields: { metadata, spec: ingressSpec } },
  },
  IngressClass: {
    apiVersion: 'networking.k8s.io/v1',
    namespaced: false,
    shape: { required: ['metadata'], fields: { metadata, spec: { fields: { controller: 'string' } } } },
  },
  Service: {
    apiVersion: 'v1',
    namespaced: true,
    shape: { required: ['metadata'], fields: { metadata, spec: serviceSpec } },
  },
  EndpointSlice: {
    apiVersion: 'discovery.k8s.io/v1',
    namespaced: true,
    shape: {
      required: ['metadata', 'addressType'],
      fields: {
        metadata,
        addressType: ['IPv4', 'IPv6', 'FQDN'],
        endpoints: list(endpoint),
        ports: list({ fields: { name: 'string', port: 'number', protocol: 'string' } }),
      },
    },
  },
  Secret: {
    apiVersion: 'v1',
    namespaced: true,
    shape: {
      required: ['metadata'],
      fields: { metadata, type: 'string', data: map('string'), stringData: map('string') },
    },
  },
  ConfigMap: {
    apiVersion: 'v1',
    namespaced: true,
    shape: { required: ['metadata'], fields: { metadata, data: map('string') } },
  },
  Namespace: { apiVersion: 'v1', namespaced: false, shape: { required: ['metadata'], fields: { metadata } } },
  IngressDeployment: {
    apiVersion,
    namespaced: true,
    // Its spec is checked by the CRD's own schema, with the field in the problem.
    shape: { required: ['metadata'], fields: { metadata } },
  },
}
