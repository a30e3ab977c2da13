import { runGenerator } from '../load/run-generator.ts'
import { measureCost } from './cost.ts'
import { armPerContender, usualHosts } from './fleet.ts'
import { usualConnections } from './small-answers.ts'
import type { Workload } from './workload.ts'

export const websocket: Workload = {
  name: 'websocket',
  what: `WebSocket messages of 64 bytes there and back over ${usualConnections} connections, the next one when the one before is back.`,
  requirements: [],
  run: bench =>
    measureCost(bench, {
      arms: armPerContender(bench),
      blocks: 3,
      per: 'message',
      unit: 'µs',
      load: async ({ httpPort: port }, _arm, seconds) => {
        const [host] = usualHosts
        const { cores, processes } = bench
        const options = { port, host, connections: usualConnections, seconds }
        const { messages, failures } = await runGenerator('websocket', options, { core: cores.load, processes })
        return { count: messages, seconds, failures }
      },
    }),
}
