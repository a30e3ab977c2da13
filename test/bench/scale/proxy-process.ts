import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { benchNamespace } from './population.ts'

const program = join(import.meta.dirname, '../../../dist/ingress-fleet.js')
const readyLimitMs = 120_000

/** Memory of the process, in bytes. */
export interface ProcessMemory {
  readonly rss: number
  /** Its share of what it has in common with other processes counted in part. */
  readonly pss: number
  /** The most that it ever had. */
  readonly peakRss: number
}

/** The real `ingress-fleet proxy`, as a pod runs it, with its listeners on loopback. */
export class ProxyProcess {
  readonly httpPort: number
  /** From exec to the first 200 of `/readyz`. */
  readonly startMs: number
  /** CPU time of all its threads until then. */
  readonly startCpuMs: number
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #errors: string[]

  private constructor(of: {
    child: ChildProcess
    folder: string
    errors: string[]
    httpPort: number
    startMs: number
    startCpuMs: number
  }) {
    this.#child = of.child
    this.#folder = of.folder
    this.#errors = of.errors
    this.httpPort = of.httpPort
    this.startMs = of.startMs
    this.startCpuMs = of.startCpuMs
  }

  /** Resolves when it is ready. `nodeFlags` come before the program, as `--cpu-prof`. */
  static async start(kubeconfig: string, nodeFlags: readonly string[] = []): Promise<ProxyProcess> {
    if (!existsSync(program)) throw new Error('there is no dist/ingress-fleet.js: run `npm run build` first')
    const folder = await mkdtemp(join(tmpdir(), 'ingress-fleet-bench-'))
    const [httpPort, metricsPort] = await freePorts()
    const ports = ['--http-port', `${httpPort}`, '--https-port', '0', '--metrics-port', `${metricsPort}`]
    const socket = ['--admin-socket', join(folder, 'admin.sock')]
    const arguments_ = [...nodeFlags, program, 'proxy', '--address', '127.0.0.1', ...ports, ...socket]
    const startedMs = performance.now()
    const child = spawn(process.execPath, arguments_, {
      env: { ...process.env, KUBECONFIG: kubeconfig, POD_NAMESPACE: benchNamespace, INSTANCE_NAME: 'bench' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const errors: string[] = []
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors.push(text)
      if (errors.length > 100) errors.shift()
    })
    while (!(await isReady(metricsPort))) {
      if (child.exitCode !== null || performance.now() - startedMs > readyLimitMs) {
        child.kill('SIGKILL')
        throw new Error(`the proxy did not become ready: ${errors.join('').slice(-2000)}`)
      }
      await pause(5)
    }
    const startMs = performance.now() - startedMs
    return new ProxyProcess({ child, folder, errors, httpPort, startMs, startCpuMs: cpuMs(child.pid ?? 0) })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** The last lines of its log. */
  get log(): string {
    return this.#errors.join('')
  }

  memory(): ProcessMemory {
    const rollup = readFileSync(`/proc/${this.pid}/smaps_rollup`, 'utf8')
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    return { rss: kilobytes(rollup, 'Rss'), pss: kilobytes(rollup, 'Pss'), peakRss: kilobytes(status, 'VmHWM') }
  }

  cpuMs(): number {
    return cpuMs(this.pid)
  }

  /** At once, without a drain. With profiling flags a signal to end in order would take the drain's time. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit')
      this.#child.kill('SIGKILL')
      await ended
    }
    await rm(this.#folder, { recursive: true, force: true })
  }

  get adminSocket(): string {
    return join(this.#folder, 'admin.sock')
  }
}

function kilobytes(text: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) * 1024
}

/** User and system time, from the kernel's accounting in hundredths of a second. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function isReady(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const asked = request({ host: '127.0.0.1', port, path: '/readyz', agent: false }, response => {
      response.resume()
      response.on('end', () => resolve(response.statusCode === 200))
    })
    asked.on('error', () => resolve(false))
    asked.end()
  })
}

async function freePorts(): Promise<readonly [number, number]> {
  const servers = [createServer(), createServer()]
  await Promise.all(servers.map(server => once(server.listen(0, '127.0.0.1'), 'listening')))
  const [first = 0, second = 0] = servers.map(server => (server.address() as { port: number }).port)
  await Promise.all(servers.map(server => once(server.close(), 'close')))
  return [first, second]
}
