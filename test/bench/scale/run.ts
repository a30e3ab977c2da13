// Measures what the number of Ingresses costs: node test/bench/scale/run.ts [--sizes 10,1000,10000] [--changes 100]
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { AnsweringPod } from './answering-pod.ts'
import { BenchCluster, ownAddress } from './bench-cluster.ts'
import { startCold } from './cold-start.ts'
import { measurePropagation } from './propagation.ts'

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10,1000,10000' },
    changes: { type: 'string', default: '100' },
    workers: { type: 'string', default: '1,2,3' },
    settle: { type: 'string', default: '15' },
    stay: { type: 'boolean', default: false },
  },
})
const numbers = (text: string): number[] =>
  text
    .split(',')
    .filter(word => word !== '')
    .map(Number)
const print = (line: string, figures: object): void => console.log(line, JSON.stringify(figures, rounded))

const sentinel = new AnsweringPod('sentinel')
const address = ownAddress()
await sentinel.listen(address)
const cluster = await BenchCluster.start({ address, port: sentinel.port })
try {
  for (const size of numbers(values.sizes)) await measure(size)
  if (values.stay) {
    console.log(`KUBECONFIG=${cluster.kubeconfig}`)
    await new Promise(resolve => process.once('SIGINT', resolve))
  }
} finally {
  await cluster.stop()
  sentinel.close()
}

async function measure(size: number): Promise<void> {
  const seconds = await cluster.grow(size)
  console.log(`${size} Ingresses there after ${seconds.toFixed(1)} s`)
  for (const workers of numbers(values.workers)) {
    await cluster.configure(workers)
    const { proxy, figures } = await startCold(cluster)
    try {
      print(`  ${workers} workers, cold start`, figures)
      await pause(Number(values.settle) * 1000)
      print(`  ${workers} workers, memory MB`, megabytes(proxy.memory()))
      if (workers !== 1) continue
      const of = { cluster, proxy, changes: Number(values.changes) }
      print('  propagation', await measurePropagation({ ...of, backgroundPerSecond: 0 }))
      print('  propagation under 100/s', await measurePropagation({ ...of, backgroundPerSecond: 100 }))
      print('  memory MB after', megabytes(proxy.memory()))
    } finally {
      await proxy.stop()
    }
  }
}

function megabytes(memory: object): object {
  return Object.fromEntries(Object.entries(memory).map(([key, bytes]) => [key, Number(bytes) / 1e6]))
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value
}
