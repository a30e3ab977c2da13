// Measures what the number of Ingresses costs: node test/bench/scale/run.ts [--sizes 10,1000,10000] [--changes 100]
import { parseArgs } from 'node:util'
import { measureScale } from './measure-scale.ts'

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10,1000,10000' },
    changes: { type: 'string', default: '100' },
    workers: { type: 'string', default: '1,2,3' },
    starts: { type: 'string', default: '1' },
    settle: { type: 'string', default: '15' },
    // Keeps the filled cluster until Ctrl-C.
    stay: { type: 'boolean', default: false },
  },
})

await measureScale({
  sizes: numbers(values.sizes),
  workers: numbers(values.workers),
  starts: Number(values.starts),
  changes: Number(values.changes),
  settleMs: Number(values.settle) * 1000,
  print,
  ...(values.stay ? { stay } : {}),
})

async function stay(kubeconfig: string): Promise<void> {
  print(`KUBECONFIG=${kubeconfig}`)
  const { promise, resolve } = Promise.withResolvers<void>()
  // A signal alone does not keep the process.
  const timer = setInterval(() => {}, 60_000)
  process.once('SIGINT', () => resolve())
  await promise
  clearInterval(timer)
}

function numbers(text: string): number[] {
  return text
    .split(',')
    .filter(word => word !== '')
    .map(Number)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
