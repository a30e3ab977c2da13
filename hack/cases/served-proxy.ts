import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const program = join(import.meta.dirname, '..', '..', 'dist', 'ingress-fleet.js')
const startTimeoutMs = 30_000
const stopTimeoutMs = 3000
const keptLogCharacters = 4000

/** The built program, run as `ingress-fleet serve` on a folder. */
export class ServedProxy {
  readonly httpPort: number
  readonly httpsPort: number
  readonly #process: ChildProcess
  readonly #output: Output

  private constructor(process: ChildProcess, output: Output, ports: readonly [number, number]) {
    this.#process = process
    this.#output = output
    ;[this.httpPort, this.httpsPort] = ports
  }

  /** Starts it and waits until `/readyz` says that the folder is served. */
  static async start(folder: string): Promise<ServedProxy> {
    if (!existsSync(program)) throw new Error(`starting the proxy: ${program} is missing; run 'npm run build'`)
    const free = ['--http-port', '0', '--https-port', '0', '--admin-port', '0']
    const child = spawn(process.execPath, [program, 'serve', '-f', folder, ...free], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const output = new Output(child)
    try {
      const [http, https, admin] = await readAddresses(child, output)
      await untilReady(child, output, admin)
      return new ServedProxy(child, output, [http, https])
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
  }

  get running(): boolean {
    return isRunning(this.#process)
  }

  /** The end of what it wrote, for a message. */
  get lastOutput(): string {
    return this.#output.text.slice(-600)
  }

  async stop(): Promise<void> {
    if (!this.running) return
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGTERM')
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), stopTimeoutMs)
    await exited
    clearTimeout(timer)
  }
}

class Output {
  text = ''

  constructor(child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.text = (this.text + text).slice(-keptLogCharacters)
      })
    }
  }
}

async function readAddresses(child: ChildProcess, output: Output): Promise<[number, number, number]> {
  const pattern = /^HTTP\s+http:\S+:(\d+)\s+HTTPS\s+https:\S+:(\d+)\s+dashboard\s+http:\S+:(\d+)\//m
  const match = await poll(child, output, async () => pattern.exec(output.text) ?? undefined)
  const [, http, https, admin] = match
  return [Number(http), Number(https), Number(admin)]
}

async function untilReady(child: ChildProcess, output: Output, adminPort: number): Promise<void> {
  await poll(child, output, async () => {
    const response = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined)
    await response?.arrayBuffer()
    return response?.status === 200 ? true : undefined
  })
}

async function poll<T>(child: ChildProcess, output: Output, attempt: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + startTimeoutMs
  while (performance.now() < deadline) {
    const found = await attempt()
    if (found !== undefined) return found
    if (!isRunning(child)) throw new Error(`starting the proxy: it ended with\n${output.text}`)
    await delay(20)
  }
  throw new Error(`starting the proxy: it was not ready after ${startTimeoutMs / 1000} s, it wrote\n${output.text}`)
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}
