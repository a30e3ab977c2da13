/** Chooses among the endpoints of one backend, one choice per attempt. Its state outlives changes of the endpoints. */
export interface Balancer {
  /**
   * Index of the endpoint for the next attempt, or -1 when there is none. `tried` has a bit set for each index that
   * this request has tried; those are chosen again only when nothing else is left.
   */
  pick(endpointCount: number, tried: number): number
}

/** Endpoints beyond the bits of `tried` count as untried. */
export function isTried(tried: number, index: number): boolean {
  return index < 31 && (tried & (1 << index)) !== 0
}
