import type { Dispatcher } from 'undici'
import type { Log } from '../observe/log.ts'
import { ApiError, ConnectionError, parseRetryAfter, parseStatus } from './api-error.ts'
import { type Clock, pause, systemClock } from './clock.ts'
import { Connections } from './connections.ts'
import type { ClusterAccess } from './credentials.ts'

export interface TransportOptions {
  readonly log: Log
  readonly userAgent: string
  readonly clock?: Clock
  /** For one try of a request that is not a watch; 30 s by default. */
  readonly requestTimeoutMs?: number
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>

export interface RequestOptions {
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
  /** Tries when the server asks to come back (429, 503) or, if that is safe, when the connection breaks; 5 by default. */
  readonly attempts?: number
}

export interface KubeRequest extends RequestOptions {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Query
  /** Sent as JSON. */
  readonly body?: unknown
  /** Media types that may come back; JSON when absent. */
  readonly accept?: string
  readonly contentType?: string
  /** Carrying it out twice is the same as once, so it may be sent again after a broken connection. */
  readonly repeatable?: boolean
  /** What it is counted as; not counted when absent. */
  readonly countedAs?: string
}

const longestRetryAfterMs = 30_000

/** Tries of one request that get no answer: each may take the whole time limit. */
const maxBrokenTries = 3

/** Requests over shared connections, with the credentials of `ClusterAccess`, time limits and retries. */
export class Transport {
  readonly #access: ClusterAccess
  readonly #log: Log
  readonly #clock: Clock
  readonly #userAgent: string
  readonly #requestTimeoutMs: number
  readonly #origin: string
  readonly #pathPrefix: string
  readonly #counts = new Map<string, number>()
  readonly #closed = new AbortController()
  readonly #connections: Connections

  constructor(access: ClusterAccess, options: TransportOptions) {
    const url = new URL(access.server)
    this.#access = access
    this.#log = options.log
    this.#clock = options.clock ?? systemClock
    this.#userAgent = options.userAgent
    this.#requestTimeoutMs = options.requestTimeoutMs ?? 30_000
    this.#origin = url.origin
    this.#pathPrefix = url.pathname.replace(/\/$/, '')
    this.#connections = new Connections(error => {
      this.#log.warn({ error: String(error) }, 'old connections to API server did not close')
    })
  }

  /** Requests sent so far, tries included, by what they are counted as. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  /** Sends a request and reads the JSON that comes back, with the retries of `attempts`. */
  async request<T>(request: KubeRequest): Promise<T> {
    return this.#repeated(request, async ({ body }) => JSON.parse(await body.text()) as T)
  }

  /** The same for an answer in one of the media types of `accept`, as it came. */
  async requestBytes(request: KubeRequest): Promise<{ readonly mediaType: string; readonly bytes: Buffer }> {
    return this.#repeated(request, async ({ headers, body }) => {
      const mediaType = firstOf(headers['content-type'])?.split(';')[0]?.trim() ?? ''
      return { mediaType, bytes: Buffer.from(await body.arrayBuffer()) }
    })
  }

  async #repeated<T>(request: KubeRequest, read: (response: Dispatcher.ResponseData) => Promise<T>): Promise<T> {
    const attempts = request.attempts ?? 5
    const signal = this.#signal(request.signal)
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(request, { signal, read })
      } catch (error) {
        const delayMs = attempt < attempts && !signal.aborted ? retryDelayMs(error, request, attempt) : undefined
        if (delayMs === undefined) throw error
        this.#log.debug(
          { method: request.method, path: request.path, attempt, delayMs },
          'request to API server repeated',
        )
        await pause(this.#clock, delayMs, signal)
      }
    }
  }

  /** Opens a watch and gives its bytes. The caller ends it by `signal`; there is no time limit but for the first answer. */
  async stream(request: KubeRequest & { readonly signal: AbortSignal }): Promise<AsyncIterable<Buffer>> {
    const signal = this.#signal(request.signal)
    const response = await this.#answer({ ...request, timeoutMs: request.timeoutMs ?? this.#requestTimeoutMs }, signal)
    return response.body as AsyncIterable<Buffer>
  }

  /** Breaks off what is under way and closes all connections. */
  async close(): Promise<void> {
    this.#closed.abort(new ConnectionError('the client of the API server was closed'))
    await this.#connections.destroy()
  }

  #signal(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#closed.signal]) : this.#closed.signal
  }

  async #once<T>(
    request: KubeRequest,
    { signal, read }: { signal: AbortSignal; read: (response: Dispatcher.ResponseData) => Promise<T> },
  ): Promise<T> {
    const timeout = new AbortController()
    const timeoutMs = request.timeoutMs ?? this.#requestTimeoutMs
    const cancel = this.#clock.after(timeoutMs, () => {
      timeout.abort(new ConnectionError(`no complete answer within ${timeoutMs} ms`))
    })
    try {
      const response = await this.#answer(request, AbortSignal.any([signal, timeout.signal]))
      return await read(response).catch((error: unknown) => {
        throw error instanceof SyntaxError ? error : connectionError(request, error)
      })
    } finally {
      cancel()
    }
  }

  /** A successful answer, its body not yet read. Credentials that are refused are read anew once. */
  async #answer(request: KubeRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    let response = await this.#send(request, signal, false)
    if (response.statusCode === 401) {
      await response.body.dump()
      response = await this.#send(request, signal, true)
    }
    if (response.statusCode < 300) return response
    throw new ApiError({
      status: response.statusCode,
      body: parseStatus(await response.body.text().catch(() => '')),
      request: describe(request),
      retryAfterMs: parseRetryAfter(firstOf(response.headers['retry-after']), this.#clock.wallMs()),
    })
  }

  async #send(request: KubeRequest, signal: AbortSignal, refresh: boolean): Promise<Dispatcher.ResponseData> {
    const { headers, tls } = await this.#access.authorize(refresh)
    if (signal.aborted) throw connectionError(request, signal.reason)
    if (request.countedAs) this.#counts.set(request.countedAs, (this.#counts.get(request.countedAs) ?? 0) + 1)
    try {
      const response = this.#connections.agent(tls).request({
        origin: this.#origin,
        path: `${this.#pathPrefix}${request.path}${queryString(request.query)}`,
        method: request.method,
        headers: {
          ...headers,
          accept: request.accept ?? 'application/json',
          'user-agent': this.#userAgent,
          ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
        },
        body: request.body === undefined ? null : JSON.stringify(request.body),
        signal,
        headersTimeout: request.timeoutMs ?? this.#requestTimeoutMs,
        bodyTimeout: 0,
      })
      return await untilAborted(response, signal)
    } catch (error) {
      throw connectionError(request, error)
    }
  }
}

/** Milliseconds until the same request may be sent again; undefined when it may not. */
function retryDelayMs(error: unknown, request: KubeRequest, attempt: number): number | undefined {
  if (error instanceof ApiError) {
    // With these two the server has not begun. Others may have taken effect, and are the caller's to judge.
    if (error.status !== 429 && error.status !== 503) return undefined
    const delayMs = Math.min(error.retryAfterMs ?? 1000, longestRetryAfterMs)
    return delayMs * (1 + Math.random() / 4)
  }
  const mayRepeat = request.repeatable === true && attempt < maxBrokenTries
  if (error instanceof ConnectionError && mayRepeat) return 100 * 2 ** attempt * (0.5 + Math.random())
  return undefined
}

/** undici heeds the signal of a request only when it has a connection, and connecting may take long. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', abort)
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

function connectionError(request: KubeRequest, error: unknown): ConnectionError {
  const reason = error instanceof Error ? error.message : String(error)
  return new ConnectionError(`${describe(request)}: ${reason}`, { cause: error })
}

function describe(request: KubeRequest): string {
  return `${request.method} ${request.path}`
}

function queryString(query: Query = {}): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') parameters.set(name, String(value))
  }
  const text = parameters.toString()
  return text === '' ? '' : `?${text}`
}

function firstOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}
