/**
 * A client outside the cluster's nodes: reads a ClientCommand a line, writes a ClientAnswer a line, ends with its input.
 * It runs where the tests can't be, in the network of the load balancer's clients.
 */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import type {
  ClientAnswer,
  ClientCommand,
  LoadOptions,
  LoadReport,
  PodSightings,
  ReceivedResponse,
  RequestOptions,
} from './client-messages.ts'

interface Agents {
  readonly http: HttpAgent
  readonly https: HttpsAgent
}

const defaultTimeoutMs = 5000
const failuresKept = 20

function agents(keepAlive: boolean): Agents {
  return { http: new HttpAgent({ keepAlive }), https: new HttpsAgent({ keepAlive }) }
}

async function exchange(options: RequestOptions, through: Agents): Promise<ReceivedResponse> {
  let current = options
  for (let redirects = 0; ; redirects++) {
    const response = await exchangeOnce(current, through)
    const location = response.headers['location']
    if (!options.followRedirects || response.status < 300 || response.status > 399 || typeof location !== 'string')
      return response
    if (redirects === 5) throw new Error(`more than 5 redirects, the last one to ${location}`)
    current = { ...current, url: new URL(location, current.url).href }
  }
}

function exchangeOnce(options: RequestOptions, through: Agents): Promise<ReceivedResponse> {
  const url = new URL(options.url)
  const secure = url.protocol === 'https:'
  const [address = '', port] = (options.connectTo ?? url.hostname).split(':')
  const { promise, resolve, reject } = Promise.withResolvers<ReceivedResponse>()
  const parameters = {
    host: address,
    port: Number(port ?? (url.port || (secure ? 443 : 80))),
    method: options.method ?? 'GET',
    path: url.pathname + url.search,
    headers: { host: url.host, ...options.headers },
    timeout: options.timeoutMs ?? defaultTimeoutMs,
  }
  const received = (message: IncomingMessage): void => {
    collect(message).then(resolve, reject)
  }
  const sent = secure
    ? requestHttps(
        {
          ...parameters,
          agent: through.https,
          ...(isIP(url.hostname) ? {} : { servername: url.hostname }),
          rejectUnauthorized: options.ca !== undefined,
          ...(options.ca === undefined ? {} : { ca: options.ca }),
        },
        received,
      )
    : requestHttp({ ...parameters, agent: through.http }, received)
  sent.on('error', reject)
  sent.on('timeout', () => sent.destroy(new Error(`no answer within ${parameters.timeout} ms`)))
  sent.end(options.body)
  return promise
}

async function collect(message: IncomingMessage): Promise<ReceivedResponse> {
  const { socket } = message
  const certificateNames = socket instanceof TLSSocket ? socket.getPeerCertificate().subjectaltname : undefined
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  if (!message.complete) throw new Error('the response was cut off')
  return {
    status: message.statusCode ?? 0,
    httpVersion: message.httpVersion,
    headers: message.headers,
    body: Buffer.concat(chunks).toString(),
    ...(certificateNames === undefined ? {} : { certificateNames }),
  }
}

/** Sends requests until it is stopped, and remembers which pod answered when. */
class Load {
  private sent = 0
  private failed = 0
  private readonly failures: string[] = []
  private readonly pods = new Map<string, PodSightings>()
  private readonly stopping = new AbortController()
  private readonly finished: Promise<unknown>

  constructor(options: LoadOptions) {
    this.finished = Promise.all(Array.from({ length: options.concurrency }, () => this.sendAll(options)))
  }

  report(): LoadReport {
    return { sent: this.sent, failed: this.failed, failures: this.failures, pods: Object.fromEntries(this.pods) }
  }

  async stop(): Promise<LoadReport> {
    this.stopping.abort()
    await this.finished
    return this.report()
  }

  private async sendAll(options: LoadOptions): Promise<void> {
    const through = agents(options.connections === 'kept')
    while (!this.stopping.signal.aborted) {
      for (const request of options.requests) await this.sendOne(request, through)
      await sleep(options.pauseMs)
    }
    through.http.destroy()
    through.https.destroy()
  }

  private async sendOne(request: RequestOptions, through: Agents): Promise<void> {
    this.sent += 1
    try {
      const response = await exchange(request, through)
      if (response.status !== 200) throw new Error(`status ${response.status}: ${response.body.slice(0, 200)}`)
      this.remember((JSON.parse(response.body) as { readonly pod: string }).pod)
    } catch (error) {
      this.failed += 1
      if (this.failures.length < failuresKept)
        this.failures.push(`${new Date().toISOString()} ${request.url}: ${String(error)}`)
    }
  }

  private remember(pod: string): void {
    const now = Date.now()
    const earlier = this.pods.get(pod)
    this.pods.set(pod, { answers: (earlier?.answers ?? 0) + 1, firstMs: earlier?.firstMs ?? now, lastMs: now })
  }
}

async function carryOut(command: ClientCommand, loads: Map<number, Load>): Promise<ClientAnswer> {
  const { id } = command
  if (command.command === 'request') return { id, response: await exchange(command.request, agents(false)) }
  if (command.command === 'start-load') {
    const load = new Load(command.load)
    loads.set(id, load)
    return { id, report: load.report() }
  }
  const load = loads.get(command.loadId)
  if (!load) throw new Error(`no load has the id ${command.loadId}`)
  if (command.command === 'report-load') return { id, report: load.report() }
  loads.delete(command.loadId)
  return { id, report: await load.stop() }
}

async function serve(): Promise<void> {
  const loads = new Map<number, Load>()
  const answer = (value: ClientAnswer): void => {
    process.stdout.write(`${JSON.stringify(value)}\n`)
  }
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line) as ClientCommand
    carryOut(command, loads).then(answer, (error: unknown) => answer({ id: command.id, error: String(error) }))
  }
  await Promise.all([...loads.values()].map(load => load.stop()))
}

await serve()
