import type { IngressDeployment } from '../api/ingressdeployment.ts'
import type { Service } from '../api/kubernetes.ts'
import { selectorLabels } from '../api/names.ts'
import { computeConditions, graceRemainingMs } from './conditions.ts'
import type { Findings } from './findings.ts'
import type { Observed } from './observed.ts'

type Status = NonNullable<IngressDeployment['status']>
export type Address = NonNullable<Status['addresses']>[number]

export interface ComputedStatus {
  readonly status: Status
  /** When a grace period ends, and the status would become another without any event. */
  readonly recheckAfterMs: number | undefined
}

/** The whole status of an instance, from what was decided and what was seen. Pure. */
export function computeStatus(
  findings: Findings,
  decided: { readonly ingressClass: string; readonly namespaces: readonly string[] | null } | undefined,
  previous: Status | undefined,
): ComputedStatus {
  const { observed, instance, certificate, now } = findings
  const conditions = computeConditions(findings, previous?.conditions)
  const deployed = observed.deployment?.status
  const ingressClass = decided?.ingressClass ?? previous?.ingressClass
  const namespaces = decided === undefined ? previous?.namespaces : decided.namespaces
  const { facts, secretName } = certificate
  const nodePorts = allocatedNodePorts(observed.service)
  const status: Status = {
    observedGeneration: findings.generation,
    ...(ingressClass === undefined ? {} : { ingressClass }),
    replicas: deployed?.replicas ?? 0,
    readyReplicas: deployed?.readyReplicas ?? 0,
    availableReplicas: deployed?.availableReplicas ?? 0,
    updatedReplicas: deployed?.updatedReplicas ?? 0,
    selector: Object.entries(selectorLabels(instance))
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    addresses: [...addresses(observed)],
    ...(nodePorts === undefined ? {} : { nodePorts }),
    ...(secretName === ''
      ? {}
      : { certificate: { secretName, ...(facts === undefined ? {} : certificateStatus(facts)) } }),
    ...(namespaces === undefined || namespaces === null ? {} : { namespaces: [...namespaces] }),
    conditions,
  }
  return { status, recheckAfterMs: graceRemainingMs(conditions, now) }
}

/** Where clients reach the instance; empty while nothing answers. */
export function addresses({ service, pods }: Pick<Observed, 'service' | 'pods'>): readonly Address[] {
  switch (service?.spec?.type) {
    case 'LoadBalancer':
      return (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => [
        ...(ip ? [{ type: 'IPAddress', value: ip } as const] : []),
        ...(hostname ? [{ type: 'Hostname', value: hostname } as const] : []),
      ])
    case 'NodePort': {
      const hosts = pods.filter(pod => pod.ready && pod.hostAddress !== '').map(pod => pod.hostAddress)
      return [...new Set(hosts)].toSorted().map(value => ({ type: 'IPAddress', value }))
    }
    case 'ClusterIP':
      return service.spec.clusterIP ? [{ type: 'IPAddress', value: service.spec.clusterIP }] : []
    case 'ExternalName':
    case undefined:
      break
  }
  return []
}

function allocatedNodePorts(service: Service | undefined): Status['nodePorts'] {
  const port = (name: string): number | undefined => service?.spec?.ports?.find(port => port.name === name)?.nodePort
  const http = port('http')
  const https = port('https')
  if (!http && !https) return undefined
  return { ...(http ? { http } : {}), ...(https ? { https } : {}) }
}

function certificateStatus(facts: NonNullable<Findings['certificate']['facts']>): NonNullable<Status['certificate']> {
  const { serialNumber, notBefore, notAfter, fingerprint } = facts
  return { serialNumber, notBefore, notAfter, fingerprint }
}
