import type { RunningProxy } from '../contenders/contender.ts'
import { runWrk, type WrkResult } from '../load/wrk.ts'
import type { LoadResult } from './cost.ts'
import { type Arm, usualHosts } from './fleet.ts'
import type { Bench } from './workload.ts'

export interface ClosedLoop {
  readonly path: string
  readonly connections: number
  readonly tls?: boolean
  readonly bodyBytes?: number
}

/** wrk against one proxy. */
export async function closedLoop(
  bench: Bench,
  options: ClosedLoop,
  target: { readonly proxy: RunningProxy; readonly arm: Arm; readonly seconds: number },
): Promise<WrkResult> {
  const { path, connections, tls = false, bodyBytes = 0 } = options
  const { proxy, arm, seconds } = target
  // By name over TLS, because wrk takes the server name from here.
  const origin = tls ? `https://localhost:${proxy.httpsPort}` : `http://127.0.0.1:${proxy.httpPort}`
  const { cores, folder, processes } = bench
  const run = { url: `${origin}${path}`, core: cores.load, folder, seconds, connections, bodyBytes }
  return runWrk({ ...run, hosts: arm.hosts ?? usualHosts }, processes)
}

export function perRequest({ requests, seconds, failures }: WrkResult): LoadResult {
  return { count: requests, seconds, failures }
}

/** Counted in GiB of bodies; an answer that is shorter than its file is a failure. */
export function perGibibyte(bodyBytes: number): (result: WrkResult) => LoadResult {
  return ({ requests, bytes, seconds, failures }) => {
    const missing = Math.max(0, requests - Math.floor(bytes / bodyBytes))
    return { count: (requests * bodyBytes) / 2 ** 30, seconds, failures: { ...failures, short: missing } }
  }
}
