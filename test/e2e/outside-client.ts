import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { inject } from 'vitest'
import type {
  ClientAnswer,
  ClientCommand,
  LoadOptions,
  LoadReport,
  ReceivedResponse,
  RequestOptions,
} from './client-messages.ts'

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never

export interface RunningLoad {
  report(): Promise<LoadReport>
  /** Lets the requests in flight end, and says what became of all. */
  stop(): Promise<LoadReport>
}

/** Drives client.ts, which runs outside the cluster's nodes. Close it at the end. */
export class OutsideClient {
  private readonly child: ChildProcess
  private readonly waiting = new Map<number, PromiseWithResolvers<ClientAnswer>>()
  private readonly ended: Promise<void>
  private lastId = 0

  constructor() {
    const [command, ...args] = [...inject('e2eCluster').outside, process.execPath, 'test/e2e/client.ts']
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.ended = this.receive()
  }

  async request(options: RequestOptions): Promise<ReceivedResponse> {
    const answer = await this.ask({ command: 'request', request: options })
    if (!('response' in answer)) throw new Error(`${options.method ?? 'GET'} ${options.url}: ${JSON.stringify(answer)}`)
    return answer.response
  }

  async load(options: LoadOptions): Promise<RunningLoad> {
    const { id: loadId } = await this.ask({ command: 'start-load', load: options })
    return {
      report: () => this.askReport({ command: 'report-load', loadId }),
      stop: () => this.askReport({ command: 'stop-load', loadId }),
    }
  }

  async close(): Promise<void> {
    this.child.stdin?.end()
    await this.ended
  }

  private async askReport(command: WithoutId<ClientCommand>): Promise<LoadReport> {
    const answer = await this.ask(command)
    if (!('report' in answer)) throw new Error(JSON.stringify(answer))
    return answer.report
  }

  private ask(command: WithoutId<ClientCommand>): Promise<ClientAnswer> {
    const id = ++this.lastId
    const waiter = Promise.withResolvers<ClientAnswer>()
    this.waiting.set(id, waiter)
    this.child.stdin?.write(`${JSON.stringify({ id, ...command })}\n`)
    return waiter.promise
  }

  private async receive(): Promise<void> {
    if (!this.child.stdout) return
    for await (const line of createInterface({ input: this.child.stdout })) {
      const answer = JSON.parse(line) as ClientAnswer
      this.waiting.get(answer.id)?.resolve(answer)
      this.waiting.delete(answer.id)
    }
    for (const waiter of this.waiting.values()) waiter.reject(new Error('the client program has ended'))
  }
}
