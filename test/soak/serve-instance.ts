import { type ChildProcess, fork } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { get } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import type { TableDocument } from '../../src/dashboard/table-document.ts'
import { residentBytesOf } from '../bench/machine/memory.ts'
import type { HookOrder, HookReport } from './instance-hook.ts'

const hook = new URL('instance-hook.ts', import.meta.url).href
const pollMs = 15

export interface ServeInstanceOptions {
  readonly name: string
  readonly folder: string
  /** Entry of the program: the sources' or the bundle's. */
  readonly program: string
  readonly workers: number
}

interface LogLine {
  readonly level: string
  readonly msg: string
  readonly [field: string]: unknown
}

export interface InstancePorts {
  readonly http: number
  readonly https: number
}

/** What the process holds, as the kernel and V8 see it. */
export interface ProcessSample {
  readonly residentBytes: number
  readonly fileDescriptors: number
  /** Used heap of each thread; the control thread's is first. */
  readonly heapBytes: readonly number[]
}

/** One replica: an `ingress-fleet serve` process that can be drained, started again, sampled, and robbed of a worker. */
export class ServeInstance implements AsyncDisposable {
  readonly name: string
  /** Lines of level warn and worse. */
  readonly complaints: LogLine[] = []
  /** Connections that drains had to cut. */
  cutConnections = 0
  readonly #options: ServeInstanceOptions
  #child: ChildProcess | undefined
  #started: Promise<void> = Promise.resolve()
  #exit: Promise<number | string> = Promise.resolve(0)
  #output = ''
  #pendingLog = ''
  #onReport: (report: HookReport) => void = () => {}

  constructor(options: ServeInstanceOptions) {
    this.name = options.name
    this.#options = options
  }

  /** Resolves when it says where it listens, which it does when the first table is served. */
  start(): Promise<void> {
    const { folder, program, workers } = this.#options
    const ports = ['--http-port', '0', '--https-port', '0', '--admin-port', '0', '--workers', String(workers)]
    const child = fork(program, ['serve', '-f', folder, ...ports, '--lame-duck', '2'], {
      silent: true,
      execArgv: ['--no-memory-protection-keys', '--expose-gc', '--import', hook],
    })
    this.#child = child
    this.#output = ''
    child.on('message', (report: HookReport) => this.#onReport(report))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#takeLog(text))
    this.#exit = new Promise(resolve => {
      child.once('exit', (code, signal) => {
        this.#child = undefined
        resolve(code ?? signal ?? '')
      })
    })
    this.#started = new Promise((resolve, reject) => {
      child.once('exit', code => reject(new Error(`serve ended with ${code}: ${JSON.stringify(this.complaints)}`)))
      child.stdout?.setEncoding('latin1').on('data', (text: string) => {
        // After the addresses comes the access log, which is read so that it does not stop the process.
        if (this.#isAddressed) return
        this.#output += text
        if (this.#isAddressed) resolve()
      })
    })
    return this.#started
  }

  get ports(): InstancePorts {
    return { http: this.#port('HTTP'), https: this.#port('HTTPS') }
  }

  /** SIGTERM; resolves with the exit code, or the signal that ended it. */
  async drain(): Promise<number | string> {
    this.#child?.kill('SIGTERM')
    return this.#exit
  }

  /** Ends a data worker by an uncaught error. Resolves with the keys of the connections that it had. */
  async killWorker(worker: number): Promise<ReadonlySet<number>> {
    const report = await this.#order({ order: 'kill', worker }, one => one.report === 'killed')
    return new Set(report.flatMap(one => (one.report === 'killed' ? one.connections : [])))
  }

  /** A full collection of garbage in every thread. */
  async collect(): Promise<void> {
    await this.#heaps(true)
  }

  async sample(): Promise<ProcessSample> {
    const heapBytes = await this.#heaps(false)
    const pid = this.#child?.pid ?? 0
    return {
      residentBytes: residentBytesOf(pid) ?? Number.NaN,
      fileDescriptors: readdirSync(`/proc/${pid}/fd`).length,
      heapBytes,
    }
  }

  /** Values of the metrics by name without their prefix; those with labels are left out. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const text = await read(`${this.#adminUrl}metrics`)
    return new Map(
      [...text.matchAll(/^ingress_fleet_proxy_(\w+) (\S+)$/gm)].map(([, name = '', value]) => [name, Number(value)]),
    )
  }

  async untilMetrics(condition: (metric: (name: string) => number) => boolean): Promise<void> {
    while (true) {
      const metrics = await this.metrics()
      if (condition(name => metrics.get(name) ?? Number.NaN)) return
      await pause(pollMs)
    }
  }

  /** Resolves when every worker serves a table like this, or the process is gone. One that is starting is waited for. */
  async untilServes(condition: (table: TableDocument) => boolean): Promise<void> {
    await this.#started.catch(() => {})
    while (this.#child !== undefined) {
      const table = await this.#table()
      if (table !== undefined && table.servedRevision >= table.revision && condition(table)) return
      await pause(pollMs)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#exit
  }

  async #heaps(collect: boolean): Promise<readonly number[]> {
    const heaps: number[] = []
    await this.#order({ order: 'sample', collect }, one => {
      if (one.report === 'heap') heaps[one.worker + 1] = one.usedBytes
      return Object.keys(heaps).length === this.#options.workers + 1
    })
    return heaps
  }

  async #table(): Promise<TableDocument | undefined> {
    try {
      return JSON.parse(await read(`${this.#adminUrl}api/table`)) as TableDocument
    } catch {
      // It ends just now.
      return undefined
    }
  }

  async #order(order: HookOrder, isLast: (report: HookReport) => boolean): Promise<readonly HookReport[]> {
    const reports: HookReport[] = []
    return new Promise(resolve => {
      this.#onReport = report => {
        reports.push(report)
        if (isLast(report)) resolve(reports)
      }
      this.#child?.send(order)
    })
  }

  get #isAddressed(): boolean {
    return /^dashboard .*\n/m.test(this.#output)
  }

  get #adminUrl(): string {
    return /^dashboard +(\S+)$/m.exec(this.#output)?.[1] ?? ''
  }

  #port(name: 'HTTP' | 'HTTPS'): number {
    return Number(new URL(new RegExp(`^${name} +(\\S+)$`, 'm').exec(this.#output)?.[1] ?? '').port)
  }

  #takeLog(text: string): void {
    const lines = `${this.#pendingLog}${text}`.split('\n')
    this.#pendingLog = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.startsWith('{')) continue
      const entry = JSON.parse(line) as LogLine
      if (entry.level !== 'info' && entry.level !== 'debug') this.complaints.push(entry)
      if (entry.msg === 'drain ended') this.cutConnections += Number(entry['cutConnections'])
    }
  }
}

/** On a connection of its own, so that none stays open between two looks. */
async function read(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, response => {
      text(response).then(resolve, reject)
    }).on('error', reject)
  })
}
