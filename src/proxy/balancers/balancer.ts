import type { Judged } from '../passive-health.ts'
import type { Candidates } from './candidates.ts'

/**
 * Chooses among the endpoints of one backend, one choice per attempt, without allocating. It keeps nothing about
 * endpoints itself: their numbers are in `EndpointState`, by address, and outlive changes of the backend.
 */
export interface Balancer {
  /** Index of the endpoint for the next attempt; -1 when none is eligible. */
  pick(candidates: Candidates): number
}

/** What a worker knows of one address, whatever backends have it. */
export interface EndpointState extends Judged {
  /** `address:port`. */
  readonly key: string
  /** No backend of the present table has it: it gets no more requests. */
  readonly retired: boolean
  /** Attempts of this worker that have begun and not ended. */
  readonly inFlight: number
  /** Moving average from the begin of an attempt to the head of its response, in microseconds; 0 before the first. */
  readonly latencyUs: number
  /** When that was last changed, by the coarse clock. */
  readonly latencyAtMs: number
  /** When it joined others that were there, by the coarse clock; -1 when there were none. */
  readonly joinedMs: number
}
