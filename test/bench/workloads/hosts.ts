import { ratioOf } from '../figures/figure.ts'
import { closedLoop, perRequest } from './closed-loop.ts'
import { measureCost } from './cost.ts'
import type { Arm } from './fleet.ts'
import { usualConnections } from './small-answers.ts'
import type { Workload } from './workload.ts'

const few = hostNames(10)
const many = hostNames(10_000)
const ours10k = 'ours, 10,000 hosts'
const nginx10k = 'nginx, 10,000 hosts'

const arms: readonly Arm[] = [
  { label: 'ours', contender: 'ours', hosts: few },
  { label: ours10k, contender: 'ours', hosts: many },
  { label: 'nginx', contender: 'nginx', hosts: few },
  { label: nginx10k, contender: 'nginx', hosts: many },
  { label: 'haproxy, 10,000 hosts', contender: 'haproxy', hosts: many },
  { label: 'caddy, 10,000 hosts', contender: 'caddy', hosts: many },
]

export const hosts: Workload = {
  name: 'hosts',
  what: 'As small answers, with 10 and with 10,000 hosts that lead to one backend; requests go to each host in turn.',
  requirements: [
    {
      what: '10,000 hosts vs 10 hosts',
      unit: '',
      must: 1.1,
      aim: 1.03,
      measured: figures => ratioOf(figures, 'CPU per request', { of: ours10k, to: 'ours' }),
    },
  ],
  run: bench => {
    const present = arms.filter(arm => bench.contenders.includes(arm.contender))
    const peers = present.filter(arm => arm.contender !== 'ours' && arm.hosts === many)
    return measureCost(bench, {
      arms: present,
      blocks: 4,
      per: 'request',
      unit: 'µs',
      pairs: [
        { of: ours10k, to: 'ours' },
        { of: nginx10k, to: 'nginx' },
        { of: 'ours', to: 'nginx' },
        ...peers.map(({ label }) => ({ of: ours10k, to: label })),
      ],
      load: async (proxy, arm, seconds) =>
        perRequest(await closedLoop(bench, { path: '/', connections: usualConnections }, { proxy, arm, seconds })),
    })
  },
}

function hostNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `host-${index}.bench.example`)
}
