import { adminSocket, childName, container, labels, podPorts, selectorLabels, zoneLabel } from '../../api/names.ts'
import type { Plan } from '../plan.ts'
import { childMetadata, type ManagedObject, meant } from './managed-object.ts'

/** User and group of the image, which has no other. */
const nonRootId = 65_532

/** Where the admin socket lives: the only place that the container can write. */
const runDirectory = adminSocket.slice(0, adminSocket.lastIndexOf('/'))

/** The proxies, under the restricted Pod Security Standard. */
export const deployment: ManagedObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespaced: true,
  desired: plan => {
    const metadata = childMetadata(plan, childName(plan.instance))
    const version = plan.pod.version === undefined ? {} : { [labels.version]: plan.pod.version }
    return [
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { ...metadata, labels: { ...metadata.labels, ...version } },
        spec: {
          replicas: plan.replicas,
          selector: { matchLabels: selectorLabels(plan.instance) },
          // A new pod is ready before an old one goes: the number of proxies never falls below what was asked for.
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: '25%' } },
          minReadySeconds: 1,
          template: {
            metadata: meant({
              labels: { ...plan.pod.labels, [labels.instance]: plan.instance.name, ...selectorLabels(plan.instance) },
              annotations: plan.pod.annotations,
            }),
            spec: podSpec(plan),
          },
        },
      },
    ]
  },
}

function podSpec(plan: Plan): object {
  const { pod } = plan
  return meant({
    serviceAccountName: childName(plan.instance),
    enableServiceLinks: false,
    terminationGracePeriodSeconds: pod.terminationGracePeriodSeconds,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: nonRootId,
      runAsGroup: nonRootId,
      fsGroup: nonRootId,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    imagePullSecrets: pod.imagePullSecrets,
    nodeSelector: pod.nodeSelector,
    tolerations: pod.tolerations,
    affinity: pod.affinity,
    topologySpreadConstraints: pod.topologySpreadConstraints,
    priorityClassName: pod.priorityClassName === '' ? undefined : pod.priorityClassName,
    containers: [containerSpec(plan)],
    volumes: [{ name: 'run', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }],
  })
}

function containerSpec(plan: Plan): object {
  return meant({
    name: container,
    image: plan.pod.image,
    args: ['proxy'],
    env: environment(plan),
    ports: Object.entries(podPorts).map(([name, containerPort]) => ({ name, containerPort, protocol: 'TCP' })),
    // The first answer may wait for permissions; from then on a pod that stops answering leaves the Service at once.
    startupProbe: probe('/healthz', { periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 60 }),
    readinessProbe: probe('/readyz', { periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 2 }),
    // Slow to act: it answers 200 all through a drain, and a busy proxy must not be killed for being busy.
    livenessProbe: probe('/healthz', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
    resources: plan.pod.resources,
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [{ name: 'run', mountPath: runDirectory }],
  })
}

function environment(plan: Plan): readonly object[] {
  const field = (name: string, fieldPath: string): object => ({
    name,
    valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
  })
  return [
    field('POD_NAME', 'metadata.name'),
    field('POD_NAMESPACE', 'metadata.namespace'),
    field('POD_IP', 'status.podIP'),
    // Empty where the cluster does not copy the node's label to pods (Kubernetes before 1.35): then hints do not count.
    field('ZONE', `metadata.labels['${zoneLabel}']`),
    { name: 'INSTANCE_NAME', value: plan.instance.name },
    // The proxy plans its drain by it, so that requests in flight end before the kill.
    // Without a limit, its number of data workers follows it; rounded up, and 0 where nothing is asked for.
    {
      name: 'REQUESTED_PROCESSORS',
      valueFrom: { resourceFieldRef: { containerName: container, resource: 'requests.cpu', divisor: '1' } },
    },
    { name: 'TERMINATION_GRACE_SECONDS', value: String(plan.pod.terminationGracePeriodSeconds) },
  ]
}

function probe(path: string, timing: object): object {
  return { httpGet: { path, port: 'metrics', scheme: 'HTTP' }, ...timing }
}
