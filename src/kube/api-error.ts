/** The body of an answer that is not a success (`meta/v1.Status`), as far as it is read. */
export interface StatusBody {
  readonly code?: number
  readonly reason?: string
  readonly message?: string
  readonly details?: StatusDetails
}

export interface StatusDetails {
  readonly name?: string
  readonly kind?: string
  readonly retryAfterSeconds?: number
  readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[]
}

interface ApiErrorFields {
  readonly status: number
  readonly body: StatusBody
  /** What was asked, as in `patch /api/v1/...`. */
  readonly request: string
  /** From the header `Retry-After`. */
  readonly retryAfterMs?: number | undefined
}

/** The API server answered, and the answer is no. `reason` is its stable word, such as `Conflict` or `NotFound`. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly reason: string
  /** How long the server asks to wait before another try. */
  readonly retryAfterMs: number | undefined
  readonly details: StatusDetails

  constructor(fields: ApiErrorFields) {
    const { body, status, request } = fields
    super(`${request}: ${body.message ?? `the API server answered ${status}`}`)
    this.status = status
    this.reason = body.reason ?? ''
    this.details = body.details ?? {}
    const seconds = this.details.retryAfterSeconds
    this.retryAfterMs = fields.retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1000)
  }
}

/** No answer came: the connection failed or broke, or time ran out. The request may or may not have been carried out. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
}

export function hasStatus(error: unknown, status: number): error is ApiError {
  return error instanceof ApiError && error.status === status
}

export function isNotFound(error: unknown): boolean {
  return hasStatus(error, 404)
}

/** The object changed or exists already. */
export function isConflict(error: unknown): boolean {
  return hasStatus(error, 409)
}

/** The resource version or continue token asked for is no longer kept. */
export function isExpired(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone')
}

/** Milliseconds of a `Retry-After` header (RFC 9110, section 10.2.3): seconds or a date. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  if (/^\d+$/.test(header)) return Number(header) * 1000
  const dateMs = Date.parse(header)
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs)
}

/** The body of an answer that is not a success; one that is no Status comes from something before the API server. */
export function parseStatus(text: string): StatusBody {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null) return body
  } catch {
    // Not from the API server itself but from something before it.
  }
  return text === '' ? {} : { message: text.slice(0, 500) }
}
