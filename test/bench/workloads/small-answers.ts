import { ratioOf } from '../figures/figure.ts'
import { closedLoop, perRequest } from './closed-loop.ts'
import { measureCost } from './cost.ts'
import { armPerContender } from './fleet.ts'
import type { Workload } from './workload.ts'

/** As many as keep one processor busy, and few enough that no proxy only batches. */
export const usualConnections = 64

export const smallAnswers: Workload = {
  name: 'small',
  what: `GET of a 64-byte answer over ${usualConnections} keep-alive connections, as fast as answers come.`,
  requirements: [
    {
      what: 'CPU per request, h1 keep-alive, vs nginx',
      unit: '',
      must: 1.3,
      aim: 1.05,
      measured: figures => ratioOf(figures, 'CPU per request', { of: 'ours', to: 'nginx' }),
    },
    {
      what: 'same, vs Caddy',
      unit: '',
      must: 0.3,
      aim: 0.22,
      measured: figures => ratioOf(figures, 'CPU per request', { of: 'ours', to: 'caddy' }),
    },
  ],
  run: bench =>
    measureCost(bench, {
      arms: armPerContender(bench),
      blocks: 4,
      per: 'request',
      unit: 'µs',
      load: async (proxy, arm, seconds) =>
        perRequest(await closedLoop(bench, { path: '/', connections: usualConnections }, { proxy, arm, seconds })),
    }),
}
