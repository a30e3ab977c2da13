import { closedLoop, perRequest } from './closed-loop.ts'
import { measureCost } from './cost.ts'
import type { Arm } from './fleet.ts'
import { usualConnections } from './small-answers.ts'
import type { Workload } from './workload.ts'

const arms: readonly Arm[] = [
  { label: 'ours', contender: 'ours', accessLog: true },
  { label: 'ours, log off', contender: 'ours' },
  { label: 'nginx', contender: 'nginx', accessLog: true },
  { label: 'nginx, log off', contender: 'nginx' },
  { label: 'haproxy', contender: 'haproxy', accessLog: true },
]

export const accessLog: Workload = {
  name: 'access-log',
  what: "As small answers, with an access log to a file: in ingress-nginx's default format by ours and nginx (which buffers 64 KiB of it), in its own `httplog` format by HAProxy.",
  requirements: [],
  run: bench => {
    const present = arms.filter(arm => bench.contenders.includes(arm.contender))
    const labels = new Set(present.map(arm => arm.label))
    return measureCost(bench, {
      arms: present,
      blocks: 3,
      per: 'request',
      unit: 'µs',
      pairs: [
        { of: 'ours', to: 'nginx' },
        { of: 'ours', to: 'haproxy' },
        { of: 'ours', to: 'ours, log off' },
        { of: 'nginx', to: 'nginx, log off' },
      ].filter(({ to }) => labels.has(to)),
      load: async (proxy, arm, seconds) =>
        perRequest(await closedLoop(bench, { path: '/', connections: usualConnections }, { proxy, arm, seconds })),
    })
  },
}
