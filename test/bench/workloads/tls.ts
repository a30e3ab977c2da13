import { connect } from 'node:tls'
import type { RunningProxy } from '../contenders/contender.ts'
import { ratioOf } from '../figures/figure.ts'
import { runGenerator } from '../load/run-generator.ts'
import { closedLoop, perRequest } from './closed-loop.ts'
import { type CostWorkload, measureCost } from './cost.ts'
import { armPerContender, usualHosts } from './fleet.ts'
import { usualConnections } from './small-answers.ts'
import type { Bench, Workload } from './workload.ts'

const suite = 'TLS_AES_128_GCM_SHA256'
const handshakesAtOnce = 8

export const tlsKeepAlive: Workload = {
  name: 'tls',
  what: `As small answers, over TLS 1.3 with ${suite} and an ECDSA P-256 certificate.`,
  requirements: [
    {
      what: 'TLS keep-alive, vs nginx',
      unit: '',
      must: 1.4,
      aim: 1.1,
      measured: figures => ratioOf(figures, 'CPU per request', { of: 'ours', to: 'nginx' }),
    },
  ],
  run: bench =>
    measureCost(bench, {
      arms: armPerContender(bench),
      blocks: 4,
      per: 'request',
      unit: 'µs',
      load: async (proxy, arm, seconds) => {
        await refuseOtherTls(proxy)
        const loop = { path: '/', connections: usualConnections, tls: true }
        return perRequest(await closedLoop(bench, loop, { proxy, arm, seconds }))
      },
    }),
}

export const tlsHandshakes: Workload = {
  name: 'tls-full',
  what: `A TLS 1.3 connection with a full handshake (X25519, ECDSA P-256) and one request each, ${handshakesAtOnce} at a time.`,
  requirements: [
    {
      what: 'TLS full handshake, vs nginx',
      unit: '',
      must: 1.5,
      aim: 1.2,
      measured: figures => ratioOf(figures, 'CPU per handshake', { of: 'ours', to: 'nginx' }),
    },
  ],
  run: bench => measureCost(bench, perHandshake(bench, false, 4)),
}

export const tlsResumptions: Workload = {
  name: 'tls-resumed',
  what: `The same with a session taken up from the connection before (PSK with X25519).`,
  requirements: [],
  run: bench => measureCost(bench, perHandshake(bench, true, 3)),
}

function perHandshake(bench: Bench, resumed: boolean, blocks: number): CostWorkload {
  const { cores, processes } = bench
  const [host] = usualHosts
  return {
    arms: armPerContender(bench),
    blocks,
    per: 'handshake',
    unit: 'µs',
    load: async ({ httpsPort: port }, _arm, seconds) => {
      const options = { port, host, path: '/', concurrency: handshakesAtOnce, seconds, resumed }
      const { done, failures } = await runGenerator('handshakes', options, { core: cores.load, processes })
      return { count: done, seconds, failures }
    },
  }
}

/** All must do the same work: what a client with no wishes of its own gets has to be one suite. */
async function refuseOtherTls({ name, httpsPort }: RunningProxy): Promise<void> {
  const got = await new Promise<string>((resolve, reject) => {
    const [servername] = usualHosts
    const socket = connect({ host: '127.0.0.1', port: httpsPort, servername, rejectUnauthorized: false }, () => {
      resolve(`${socket.getProtocol()} ${socket.getCipher().standardName}`)
      socket.destroy()
    })
    socket.once('error', reject)
  })
  if (got !== `TLSv1.3 ${suite}`) throw new Error(`${name} chose ${got}, but TLSv1.3 ${suite} is to be compared`)
}
