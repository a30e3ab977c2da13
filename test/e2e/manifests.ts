/** The objects that e2e tests apply. */

const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' }

export function namespace(name: string): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: restricted } }
}

export interface EchoOptions {
  readonly namespace: string
  readonly name: string
  readonly replicas?: number
}

/** Deployment and Service of the echo application: port 8080, named `http`, of a pod's port 3000. */
export function echo(options: EchoOptions): readonly object[] {
  const { name } = options
  const metadata = { name, namespace: options.namespace, labels: { app: name } }
  const fromPod = (fieldPath: string): object => ({ fieldRef: { fieldPath } })
  const container = {
    name: 'echo',
    image: 'localhost/ingress-fleet-echo:dev',
    imagePullPolicy: 'IfNotPresent',
    ports: [{ name: 'web', containerPort: 3000 }],
    env: [
      { name: 'SERVICE', value: name },
      { name: 'NAMESPACE', valueFrom: fromPod('metadata.namespace') },
      { name: 'POD', valueFrom: fromPod('metadata.name') },
    ],
    readinessProbe: { httpGet: { path: '/', port: 'web' }, periodSeconds: 1 },
    resources: { requests: { cpu: '5m', memory: '8Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
  }
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas: options.replicas ?? 1,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 10,
          securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [container],
        },
      },
    },
  }
  const ports = [{ name: 'http', port: 8080, targetPort: 'web' }]
  return [deployment, { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app: name }, ports } }]
}

export interface Rule {
  readonly host?: string
  readonly path: string
  readonly pathType: 'Exact' | 'Prefix' | 'ImplementationSpecific'
  readonly service: string
  /** Number or name of the Service's port. */
  readonly port?: number | string
}

export interface IngressOptions {
  readonly namespace: string
  readonly name: string
  readonly className: string
  readonly rules?: readonly Rule[]
  readonly defaultService?: string
  readonly tls?: readonly { readonly hosts: readonly string[]; readonly secretName: string }[]
}

function backend(service: string, port: number | string): object {
  return { service: { name: service, port: typeof port === 'number' ? { number: port } : { name: port } } }
}

export function ingress(options: IngressOptions): object {
  const rules = (options.rules ?? []).map(rule => ({
    ...(rule.host === undefined ? {} : { host: rule.host }),
    http: { paths: [{ path: rule.path, pathType: rule.pathType, backend: backend(rule.service, rule.port ?? 8080) }] },
  }))
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: options.name, namespace: options.namespace },
    spec: {
      ingressClassName: options.className,
      ...(options.defaultService === undefined ? {} : { defaultBackend: backend(options.defaultService, 8080) }),
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      ...(rules.length === 0 ? {} : { rules }),
    },
  }
}

export function ingressDeployment(place: { readonly namespace: string; readonly name: string }, spec: object): object {
  return {
    apiVersion: 'ingressfleet.dev/v1alpha1',
    kind: 'IngressDeployment',
    metadata: place,
    spec: { pod: { terminationGracePeriodSeconds: 30 }, ...spec },
  }
}
