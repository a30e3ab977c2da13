import type { Balancer } from './balancer.ts'
import { RoundRobin } from './round-robin.ts'

/** One row per algorithm. */
export const algorithms = ['round_robin'] as const
export type Algorithm = (typeof algorithms)[number]

export const balancers = {
  round_robin: seed => new RoundRobin(seed),
} as const satisfies Record<Algorithm, (seed: number) => Balancer>

export const defaultAlgorithm: Algorithm = 'round_robin'
