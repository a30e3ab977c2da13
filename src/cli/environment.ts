import type { ClusterAccessOptions } from '../kube/credentials.ts'

/** The only reader of the environment; everything else is handed what it needs. */
export interface Environment {
  /** Kubeconfig files, as in kubectl: separated by the platform's path delimiter. */
  readonly kubeconfig: string | undefined
  /** The pod in which this process runs, by the downward API. */
  readonly podNamespace: string | undefined
  readonly podName: string | undefined
  /** IngressDeployment that a proxy belongs to. */
  readonly instanceName: string | undefined
  /** How long Kubernetes waits between SIGTERM and SIGKILL. */
  readonly terminationGraceSeconds: number | undefined
  /** Zone of the node on which this pod runs, by the downward API; undefined where the cluster does not say. */
  readonly zone: string | undefined
  /** Processors that the proxy's container asked the scheduler for. */
  readonly requestedProcessors: number | undefined
  /** Image that an operator gives its proxies where an IngressDeployment names none. */
  readonly proxyImage: string | undefined
  readonly logLevel: string
  /** URL of the API server, as a pod is told it. */
  readonly inClusterServer: string | undefined
  readonly homeDirectory: string | undefined
}

export function readEnvironment(variables: Readonly<Record<string, string | undefined>> = process.env): Environment {
  const text = (name: string): string | undefined => (variables[name] === '' ? undefined : variables[name])
  const positive = (name: string): number | undefined => {
    const value = Number(text(name) ?? Number.NaN)
    return Number.isFinite(value) && value > 0 ? value : undefined
  }
  return {
    kubeconfig: text('KUBECONFIG'),
    podNamespace: text('POD_NAMESPACE'),
    podName: text('POD_NAME'),
    instanceName: text('INSTANCE_NAME'),
    zone: text('ZONE'),
    terminationGraceSeconds: positive('TERMINATION_GRACE_SECONDS'),
    requestedProcessors: positive('REQUESTED_PROCESSORS'),
    proxyImage: text('PROXY_IMAGE'),
    logLevel: text('LOG_LEVEL') ?? 'info',
    inClusterServer: inClusterServer(text('KUBERNETES_SERVICE_HOST'), text('KUBERNETES_SERVICE_PORT')),
    homeDirectory: text('HOME'),
  }
}

/** How a pod, or who has a kubeconfig, reaches its cluster. */
export function clusterAccessOptions({ kubeconfig, inClusterServer: server }: Environment): ClusterAccessOptions {
  return {
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(server === undefined ? {} : { inClusterServer: server }),
  }
}

function inClusterServer(host: string | undefined, port: string | undefined): string | undefined {
  if (host === undefined) return undefined
  return `https://${host.includes(':') ? `[${host}]` : host}:${port ?? '443'}`
}
