import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { loadClusterAccess } from '../../src/kube/credentials.ts'

/** An answer given in place of the API server's. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Seen {
  readonly method: string
  readonly url: URL
  readonly atMs: number
}

/** Plain HTTP before an API server: notes what is asked, and answers some of it itself. */
export class HttpFront {
  readonly #server: Server
  readonly #agents = { http: new Agent({ keepAlive: true }), https: new SecureAgent({ keepAlive: true }) }
  readonly seen: Seen[] = []
  /** Answers the request itself by giving an answer; `index` counts the requests of the same method and path. */
  intercept: (request: Seen, index: number) => Answer | undefined | Promise<Answer | undefined> = () => undefined

  private constructor(target: URL, caPem: string | undefined) {
    this.#server = createServer((incoming, outgoing) => void this.#serve({ incoming, outgoing, target, caPem }))
  }

  static async start(kubeconfig: string): Promise<HttpFront> {
    const access = await loadClusterAccess({ kubeconfig })
    const { tls } = await access.authorize()
    const front = new HttpFront(new URL(access.server), tls.caPem)
    front.#server.listen(0, '127.0.0.1')
    await once(front.#server, 'listening')
    return front
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Watches seen so far, and what they asked for. */
  get watches(): readonly URL[] {
    return this.seen.filter(({ url }) => url.searchParams.has('watch')).map(({ url }) => url)
  }

  get lists(): readonly Seen[] {
    return this.seen.filter(({ method, url }) => method === 'GET' && !url.searchParams.has('watch'))
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    this.#agents.http.destroy()
    this.#agents.https.destroy()
    await closed
  }

  async #serve(exchange: {
    readonly incoming: IncomingMessage
    readonly outgoing: ServerResponse
    readonly target: URL
    readonly caPem: string | undefined
  }): Promise<void> {
    const { incoming, outgoing, target, caPem } = exchange
    const seen = { method: incoming.method ?? '', url: new URL(incoming.url ?? '', target), atMs: performance.now() }
    const same = this.seen.filter(({ method, url }) => method === seen.method && url.pathname === seen.url.pathname)
    this.seen.push(seen)
    const answer = await this.intercept(seen, same.length)
    if (answer) {
      incoming.resume()
      outgoing.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.body)
      return
    }
    const options = { method: seen.method, headers: { ...incoming.headers, host: target.host } }
    const upstream =
      target.protocol === 'https:'
        ? secureRequest(seen.url, { ...options, ca: caPem, agent: this.#agents.https })
        : request(seen.url, { ...options, agent: this.#agents.http })
    upstream.on('response', response => {
      outgoing.writeHead(response.statusCode ?? 500, response.headers)
      outgoing.flushHeaders()
      response.pipe(outgoing)
    })
    upstream.on('error', () => outgoing.destroy())
    outgoing.on('close', () => upstream.destroy())
    incoming.pipe(upstream)
  }
}

/** The Status that the API server sends for an error. */
export function statusBody(code: number, reason: string): string {
  return JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason,
    message: `made up: ${reason}`,
  })
}
