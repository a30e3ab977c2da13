import type { Algorithm } from '../../api/load-balance.ts'
import type { Balancer } from './balancer.ts'
import { ConsistentHash } from './consistent-hash.ts'
import { Ewma } from './ewma.ts'
import { LeastRequests } from './least-requests.ts'
import { RoundRobin } from './round-robin.ts'

/** One row per algorithm. */
export const balancers = {
  round_robin: seed => new RoundRobin(seed),
  least_requests: () => new LeastRequests(),
  ewma: () => new Ewma(),
  consistent_hash: () => new ConsistentHash(),
} as const satisfies Record<Algorithm, (seed: number) => Balancer>
