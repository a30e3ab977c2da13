import { type AccessRecord, formatJson, formatText } from '../../../src/proxy/access-log.ts'
import { Candidates } from '../../../src/proxy/balancers/candidates.ts'
import { EndpointSet } from '../../../src/proxy/balancers/endpoint-set.ts'
import { balancers } from '../../../src/proxy/balancers/index.ts'
import { RandomNumbers } from '../../../src/proxy/balancers/random-numbers.ts'
import { EndpointGuard } from '../../../src/proxy/endpoint-guard.ts'
import { RequestIds } from '../../../src/proxy/request-ids.ts'
import { WorkerCounters } from '../../../src/proxy/worker-counters.ts'
import type { MicroCase } from './micro-case.ts'

const record: AccessRecord = {
  clientAddress: '192.0.2.17',
  method: 'GET',
  target: '/cart/items?page=2',
  minorVersion: 1,
  host: 'shop.example.com',
  status: 200,
  bodyBytesSent: 512,
  referer: 'https://shop.example.com/cart',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36',
  requestBytes: 740,
  requestMs: 4,
  upstreamName: 'shop-app-80',
  upstreamAddress: '10.0.3.17:8080',
  upstreamResponseBytes: '512',
  upstreamSeconds: '0.004',
  upstreamStatus: '200',
  requestId: '0123456789abcdef0123456789abcdef',
  namespace: 'shop',
  ingress: 'web',
  service: 'app',
  reason: '',
}
const times = { logTime: '05/Jan/2026:10:00:00 +0000', isoTime: '2026-01-05T10:00:00+00:00' }
const line = Buffer.alloc(4096)

export function proxyCases(): readonly MicroCase[] {
  const candidates = new Candidates(new RandomNumbers(1), { isAvoided: () => false })
  const endpoints = new EndpointSet(
    Array.from({ length: 16 }, (_, index) => ({
      key: `10.0.3.${index}:8080`,
      retired: false,
      inFlight: index % 3,
      latencyUs: 500 + index,
      latencyAtMs: 0,
      joinedMs: -1,
      health: undefined,
    })),
  )
  const guard = new EndpointGuard({ allowLoopback: false })
  const ids = new RequestIds()
  const counters = new WorkerCounters()
  return [
    ...Object.entries(balancers).map(([name, create]) => {
      const balancer = create(0)
      const call = (): number => {
        candidates.begin(endpoints, undefined, false)
        candidates.hash = 0x1234_5678
        return candidates.pick(balancer)
      }
      return { name: `balancer ${name}`, call }
    }),
    { name: 'AccessLog formatText', call: () => line.write(formatText(record, times), 'latin1') },
    { name: 'AccessLog formatJson', call: () => line.write(formatJson(record, times), 'latin1') },
    { name: 'EndpointGuard.allows', call: () => guard.allows('10.0.3.17') },
    { name: 'RequestIds.next', call: () => ids.next() },
    { name: 'RequestIds.of', call: () => ids.of('0123456789abcdef0123456789abcdef') },
    { name: 'WorkerCounters.add', call: () => counters.add('requests') },
  ]
}
