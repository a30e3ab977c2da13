import { kubectl } from './kubectl.ts'

/** Kinds that come and go by themselves, with pods or as records of what happened. */
const passing = new Set([
  'events',
  'events.events.k8s.io',
  'pods.metrics.k8s.io',
  'nodes.metrics.k8s.io',
  'leases.coordination.k8s.io',
])

/** Every object of every kind in the cluster, as `kind/name in namespace`, but for those of the given namespace. */
export async function clusterObjects(exceptNamespace: string): Promise<ReadonlySet<string>> {
  const kinds = (await kubectl('api-resources', '--verbs=list', '-o', 'name'))
    .split('\n')
    .filter(kind => kind && !passing.has(kind))
  const format = '{range .items[*]}{.kind}/{.metadata.name} in {.metadata.namespace}{"\\n"}{end}'
  const names = await kubectl('get', kinds.join(','), '-A', '--ignore-not-found', '-o', `jsonpath=${format}`)
  return new Set(names.split('\n').filter(name => name && !name.endsWith(` in ${exceptNamespace}`)))
}
