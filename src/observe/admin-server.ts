import { unlink } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isIPv6 } from 'node:net'

/** What a route of the admin server answers; `body` is text in UTF-8. */
export interface AdminAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** Answers GET of one exact path. The query is given for routes that select by it. */
export type AdminRoute = (query: URLSearchParams) => AdminAnswer | Promise<AdminAnswer>

type AdminListen = { readonly address: string; readonly port: number } | { readonly socketPath: string }

export interface AdminServerOptions {
  readonly listen: AdminListen
  /** False until there is something complete to serve, and again from the start of the drain. */
  readonly ready: () => boolean
  /** Text exposition of the metrics; without it `/metrics` is 404. */
  readonly metrics?: () => Promise<string>
  /** More paths, as `/backends`. Give those to a unix socket only: they show configuration. */
  readonly routes?: Readonly<Record<string, AdminRoute>>
}

const maxConnections = 64
const headersTimeoutMs = 5_000

/**
 * `/healthz`, `/readyz`, `/metrics` and what `routes` adds, by GET and HEAD only. One on the metrics port, one on the
 * pod's own unix socket.
 */
export class AdminServer {
  readonly #options: AdminServerOptions
  readonly #routes: ReadonlyMap<string, AdminRoute>
  readonly #server: Server

  constructor(options: AdminServerOptions) {
    this.#options = options
    this.#routes = new Map(Object.entries({ ...this.#standardRoutes(), ...options.routes }))
    this.#server = createServer(
      {
        headersTimeout: headersTimeoutMs,
        requestTimeout: headersTimeoutMs,
        keepAliveTimeout: 60_000,
        maxHeaderSize: 8192,
      },
      (request, response) => {
        void this.#answer(request, response)
      },
    )
    this.#server.maxConnections = maxConnections
  }

  /** Resolves with the port (0 on a unix socket). A stale socket file of an earlier process is replaced. */
  async start(): Promise<number> {
    const { listen } = this.#options
    if ('socketPath' in listen) await unlink(listen.socketPath).catch(ignoreMissingFile)
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      const onListening = (): void => {
        this.#server.off('error', reject)
        resolve()
      }
      if ('socketPath' in listen) this.#server.listen(listen.socketPath, onListening)
      else this.#server.listen(listen.port, listen.address, onListening)
    })
    const address = this.#server.address()
    return address !== null && typeof address === 'object' ? address.port : 0
  }

  /** Where it listens, as `http://[::1]:10254` or the socket's path. */
  describe(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') return address ?? ''
    return `http://${isIPv6(address.address) ? `[${address.address}]` : address.address}:${address.port}`
  }

  async close(): Promise<void> {
    await new Promise<void>(resolve => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  #standardRoutes(): Record<string, AdminRoute> {
    const { ready, metrics } = this.#options
    const routes: Record<string, AdminRoute> = {
      '/healthz': () => text(200, 'ok\n'),
      '/readyz': () => (ready() ? text(200, 'ok\n') : text(503, 'not ready\n')),
    }
    if (metrics !== undefined) {
      routes['/metrics'] = async () => ({
        status: 200,
        contentType: 'text/plain; version=0.0.4; charset=utf-8',
        body: await metrics(),
      })
    }
    return routes
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await this.#find(request).catch(() => text(500, 'internal error\n'))
    request.resume()
    response.on('error', () => {})
    response.writeHead(answer.status, {
      'content-type': answer.contentType,
      'content-length': Buffer.byteLength(answer.body),
      'cache-control': 'no-store',
      ...(answer.status === 405 ? { allow: 'GET, HEAD' } : {}),
    })
    response.end(request.method === 'HEAD' ? undefined : answer.body)
  }

  async #find(request: IncomingMessage): Promise<AdminAnswer> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'only GET and HEAD are allowed\n')
    const [path = '', query = ''] = (request.url ?? '').split('?', 2)
    const route = this.#routes.get(path)
    if (route === undefined) return text(404, 'no such path\n')
    return route(new URLSearchParams(query))
  }
}

export function text(status: number, body: string): AdminAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body }
}

export function json(value: unknown): AdminAnswer {
  return { status: 200, contentType: 'application/json', body: `${JSON.stringify(value, undefined, 2)}\n` }
}

function ignoreMissingFile(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
