import type { EndpointState } from './balancer.ts'

/** After so long without a new one, a latency has lost all but 1/e of its weight. */
const decayMs = 10_000

interface MeasuredEndpoint extends EndpointState {
  latencyUs: number
  latencyAtMs: number
}

/**
 * Takes one more latency in: a longer one at once, so that an endpoint that becomes slow is seen; a shorter one by the
 * weight of the time that has passed.
 */
export function noteLatency(endpoint: MeasuredEndpoint, latencyMs: number, nowMs: number): void {
  const sampleUs = Math.max(1, Math.round(latencyMs * 1000))
  const { latencyUs } = endpoint
  const weight = Math.exp(-Math.max(0, nowMs - endpoint.latencyAtMs) / decayMs)
  const averageUs = Math.round(latencyUs * weight + sampleUs * (1 - weight))
  endpoint.latencyUs = sampleUs > latencyUs ? sampleUs : averageUs
  endpoint.latencyAtMs = Math.round(nowMs)
}

/** An attempt that failed after so long: that it failed early must not make the endpoint look fast. */
export function noteFailedAfter(endpoint: MeasuredEndpoint, afterMs: number, nowMs: number): void {
  if (afterMs * 1000 > endpoint.latencyUs) noteLatency(endpoint, afterMs, nowMs)
}

/** It fades, so that an endpoint that was slow is asked again. */
export function decayedLatencyUs({ latencyUs, latencyAtMs }: EndpointState, nowMs: number): number {
  return latencyUs === 0 ? 0 : latencyUs * Math.exp(-Math.max(0, nowMs - latencyAtMs) / decayMs)
}
