import { request } from 'node:http'
import { askAdminSocket } from '../../../src/cli/admin-socket.ts'
import type { HeldBackend } from '../../../src/proxy/worker-protocol.ts'
import type { BenchCluster } from './bench-cluster.ts'
import { hostOf, isSentinel } from './population.ts'
import { ProxyProcess } from './proxy-process.ts'

export interface ColdStartFigures {
  /** From exec to `/readyz` 200. */
  readonly readyMs: number
  /** CPU time of the proxy until then. */
  readonly cpuMs: number
  readonly peakRssBytes: number
  /** Of the table at that moment: routes that were asked for and answered as they should, and those that were not. */
  readonly rightAnswers: number
  readonly wrongAnswers: number
  readonly backends: number
}

/** Starts a proxy and looks at once whether what it serves is complete. The caller stops it. */
export async function startCold(
  cluster: BenchCluster,
  nodeFlags: readonly string[] = [],
): Promise<{ readonly proxy: ProxyProcess; readonly figures: ColdStartFigures }> {
  const proxy = await ProxyProcess.start(cluster.kubeconfig, nodeFlags)
  const { peakRss } = proxy.memory()
  const numbers = Array.from({ length: cluster.size }, (_, index) => index)
  const answers = await Promise.all(numbers.filter(isSentinel).map(index => ask(proxy.httpPort, hostOf(index))))
  const stranger = await ask(proxy.httpPort, 'stranger.example.com')
  const right = answers.filter(answer => answer === '200 sentinel').length + (stranger.startsWith('404 ') ? 1 : 0)
  const { backends } = JSON.parse(await askAdminSocket(proxy.adminSocket, '/general')) as { readonly backends: number }
  const figures = {
    readyMs: proxy.startMs,
    cpuMs: proxy.startCpuMs,
    peakRssBytes: peakRss,
    rightAnswers: right,
    wrongAnswers: answers.length + 1 - right,
    backends,
  }
  return { proxy, figures }
}

/** Endpoints that its workers hold. To list them all takes memory, so this comes after that is measured. */
export async function heldEndpoints(proxy: ProxyProcess): Promise<number> {
  const held = JSON.parse(await askAdminSocket(proxy.adminSocket, '/backends')) as readonly HeldBackend[]
  return held.reduce((sum, { endpoints }) => sum + endpoints.length, 0)
}

async function ask(port: number, host: string): Promise<string> {
  return new Promise(resolve => {
    const asked = request({ host: '127.0.0.1', port, headers: { host }, agent: false, timeout: 5000 }, response => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve(`${response.statusCode} ${body}`))
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', error => resolve(error.message))
    asked.end()
  })
}
