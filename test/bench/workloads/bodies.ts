import { ratioOf } from '../figures/figure.ts'
import { backendFiles } from '../load/backend.ts'
import { type ClosedLoop, closedLoop, perGibibyte } from './closed-loop.ts'
import { type CostWorkload, measureCost } from './cost.ts'
import { armPerContender } from './fleet.ts'
import type { Bench, Workload } from './workload.ts'

const connections = 16
const uploadBytes = 1_048_576

export const bodies100k: Workload = {
  name: 'body-100k',
  what: `GET of a 100 KiB file over ${connections} keep-alive connections.`,
  requirements: [],
  run: bench => measureCost(bench, perBody(bench, { path: '/files/100k', connections }, backendFiles['/files/100k'])),
}

export const bodies1m: Workload = {
  name: 'body-1m',
  what: `GET of a 1 MiB file over ${connections} keep-alive connections.`,
  requirements: [
    {
      what: '1 MiB bodies, CPU per GiB, vs nginx',
      unit: '',
      must: 1.8,
      aim: 1.3,
      measured: figures => ratioOf(figures, 'CPU per GiB', { of: 'ours', to: 'nginx' }),
    },
  ],
  run: bench => measureCost(bench, perBody(bench, { path: '/files/1m', connections }, backendFiles['/files/1m'])),
}

export const uploads: Workload = {
  name: 'upload',
  what: `POST of a body of 1 MiB over ${connections} keep-alive connections; nobody buffers it before it goes on.`,
  requirements: [],
  run: bench => measureCost(bench, perUpload(bench)),
}

function perBody(bench: Bench, loop: ClosedLoop, bytes: number): CostWorkload {
  return {
    arms: armPerContender(bench),
    blocks: 3,
    per: 'GiB',
    unit: 'ms',
    load: async (proxy, arm, seconds) => perGibibyte(bytes)(await closedLoop(bench, loop, { proxy, arm, seconds })),
  }
}

function perUpload(bench: Bench): CostWorkload {
  const loop = { path: '/upload', connections, bodyBytes: uploadBytes }
  return {
    ...perBody(bench, loop, uploadBytes),
    load: async (proxy, arm, seconds) => {
      const { requests, seconds: taken, failures } = await closedLoop(bench, loop, { proxy, arm, seconds })
      return { count: (requests * uploadBytes) / 2 ** 30, seconds: taken, failures }
    },
  }
}
