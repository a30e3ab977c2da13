import type { KubeClient } from '../kube/client.ts'
import { Metrics, type MetricTable } from '../observe/metrics.ts'
import type { RunningOperator } from '../operator/operator.ts'

const prefix = 'ingress_fleet_operator'

export const operatorMetricRows = {
  instances: { kind: 'gauge', name: `${prefix}_instances`, help: 'IngressDeployments known', labels: [] },
  ingresses: { kind: 'gauge', name: `${prefix}_ingresses`, help: 'Ingresses known', labels: [] },
  queueDepth: { kind: 'gauge', name: `${prefix}_queue_depth`, help: 'objects that wait to be reconciled', labels: [] },
  eventsDropped: { kind: 'counter', name: `${prefix}_events_dropped_total`, help: 'Events not recorded', labels: [] },
  isLeader: { kind: 'gauge', name: `${prefix}_leader`, help: '1 while this process acts', labels: [] },
  requests: {
    kind: 'counter',
    name: `${prefix}_api_requests_total`,
    help: 'requests sent to the API server, tries included',
    labels: ['verb', 'resource'],
  },
} as const satisfies MetricTable

/** Figures of the operator, read when they are asked for. */
export function createOperatorMetrics(
  operator: RunningOperator,
  client: KubeClient,
): Metrics<typeof operatorMetricRows> {
  const metrics = new Metrics(operatorMetricRows)
  metrics.collect(() => {
    const { instances, ingresses, queueDepth, eventsDropped } = operator.counts()
    metrics.set('instances', instances)
    metrics.set('ingresses', ingresses)
    metrics.set('queueDepth', queueDepth)
    metrics.set('eventsDropped', eventsDropped)
    metrics.set('isLeader', operator.isLeader ? 1 : 0)
    for (const [request, count] of client.counts) {
      const [verb = '', resource = ''] = request.split(' ')
      metrics.set('requests', count, { verb, resource })
    }
  })
  return metrics
}
