import type { IngressDeployment } from '../api/ingressdeployment.ts'
import { childName } from '../api/names.ts'
import { awaitsBalancer, readBalancerFailure } from './balancer-failure.ts'
import type { DesiredObject } from './objects/managed-object.ts'
import type { Observed } from './observed.ts'
import { belongsTo } from './ownership.ts'
import { instanceName } from './plan.ts'
import type { World } from './world.ts'

/** What there is of an instance, from the caches, and why its load balancer is late, from the API server. */
export async function observe(owner: IngressDeployment, world: World): Promise<Observed> {
  const instance = instanceName(owner)
  const name = `${instance.namespace}/${childName(instance)}`
  const own = (kind: 'Service' | 'Deployment'): DesiredObject | undefined => {
    const object = world.caches.ownedStore(kind).get(name)
    return object !== undefined && belongsTo(instance, owner.metadata.uid, object) ? object : undefined
  }
  const service = own('Service') as Observed['service']
  const pods = world.caches.pods.byIndex('owner', `${instance.namespace}/${instance.name}`)
  return {
    service,
    deployment: own('Deployment') as Observed['deployment'],
    pods: pods.toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1)),
    balancerFailure: awaitsBalancer(service) ? await balancerFailure(service, world) : undefined,
  }
}

async function balancerFailure(service: NonNullable<Observed['service']>, world: World): Promise<string | undefined> {
  try {
    return await readBalancerFailure(world.client, service)
  } catch (error) {
    // The text would be of help, but the status is told without it.
    world.log.warn({ error: String(error) }, 'events of a Service can not be read')
    return undefined
  }
}
