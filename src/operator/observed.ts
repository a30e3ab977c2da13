import type { KubernetesObject, Service } from '../api/kubernetes.ts'

/** The parts of a Deployment that its owner's status tells of. */
export interface Deployment extends KubernetesObject {
  readonly spec?: {
    readonly replicas?: number
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> }
  }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly readyReplicas?: number
    readonly availableReplicas?: number
    readonly updatedReplicas?: number
    readonly conditions?: readonly DeploymentCondition[]
  }
}

interface DeploymentCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

/** The little of a pod that is kept. */
export interface ProxyPod extends KubernetesObject {
  readonly ready: boolean
  /** Address of its node; empty until it has one. */
  readonly hostAddress: string
  /** Why it does not run: the scheduler's text, or the reason its container waits. Empty when nothing is wrong. */
  readonly trouble: string
}

/** What there is of one instance. */
export interface Observed {
  readonly service: Service | undefined
  readonly deployment: Deployment | undefined
  /** Sorted by name. */
  readonly pods: readonly ProxyPod[]
  /** Text of the newest SyncLoadBalancerFailed Event of the Service, while its address is awaited. */
  readonly balancerFailure: string | undefined
}

interface Pod extends KubernetesObject {
  readonly spec?: { readonly nodeName?: string }
  readonly status?: {
    readonly hostIP?: string
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly reason?: string
      readonly message?: string
    }[]
    readonly containerStatuses?: readonly {
      readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } }
    }[]
  }
}

/** Container states that are no trouble but the ordinary way to a running one. */
const ordinaryWaits = ['ContainerCreating', 'PodInitializing']

/** Keeps of a pod what `ProxyPod` has: at ingest, so that no store holds whole pods. */
export function toProxyPod(object: KubernetesObject): ProxyPod {
  const { apiVersion, kind, metadata, status } = object as Pod
  const { managedFields: _managedFields, annotations: _annotations, ...kept } = metadata
  return {
    apiVersion,
    kind,
    metadata: kept,
    ready: status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
    hostAddress: status?.hostIP ?? '',
    trouble: trouble(object),
  }
}

function trouble({ status }: Pod): string {
  const unscheduled = status?.conditions?.find(
    condition => condition.type === 'PodScheduled' && condition.status === 'False',
  )
  if (unscheduled) return unscheduled.message ?? unscheduled.reason ?? 'not scheduled'
  const waiting = status?.containerStatuses?.map(({ state }) => state?.waiting).find(wait => wait?.reason !== undefined)
  if (waiting?.reason === undefined || ordinaryWaits.includes(waiting.reason)) return ''
  return waiting.message === undefined ? waiting.reason : `${waiting.reason}: ${waiting.message}`
}
