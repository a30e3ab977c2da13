import { type ProxySettings, type RetryCondition, retryConditions } from '../api/settings.ts'
import type { RouteOptions } from '../routing/annotations.ts'
import { type ProxyErrorCode, proxyErrors } from './errors.ts'

/**
 * When a request may be tried again.
 *
 * Where nobody says otherwise, only where it can do no harm: nothing of the request has left, or a kept connection
 * died under it before the first byte of the response, its method is idempotent (RFC 9110 section 9.2.2) and its body
 * can be sent again. A request that kills the endpoint it reaches is not handed to the next one.
 *
 * `proxy-next-upstream` says otherwise. What it names is nginx's: `error`, `timeout` and `invalid_header` then also
 * speak of requests that were sent and have no response yet, and a status is a response that is thrown away. Such
 * requests go to an endpoint that was not tried, and only within a budget.
 */
export interface RetryPolicy {
  readonly maxAttempts: number
  /** The Ingress says how many: endpoints that refuse the connection count, too. */
  readonly triesAreExact: boolean
  /** No attempt begins later than this after the first one. */
  readonly withinMs: number
  /** A bit for each of `retryConditions`; undefined where nobody said. */
  readonly conditions: number | undefined
  readonly nonIdempotent: boolean
}

/** Beyond this a request would wander through a large backend. */
const mostAttempts = 3

const idempotentMethods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'PROPFIND',
  'REPORT',
])

export function isIdempotent(method: string): boolean {
  return idempotentMethods.has(method)
}

export function retryPolicy(
  options: RouteOptions,
  settings: ProxySettings,
  timeouts: { readonly connectMs: number; readonly readMs: number },
): RetryPolicy {
  const named = options.retryOn ?? (settings.retries.on === 'safe' ? undefined : settings.retries.on)
  const tries = options.upstreamTries ?? settings.retries.attempts
  const withinMs = options.retryWithinMs ?? settings.retries.withinMs
  const isOff = named?.includes('off') === true
  return {
    maxAttempts: isOff ? 1 : Math.min(tries === 0 ? mostAttempts : tries, mostAttempts),
    triesAreExact: isOff || tries > 0,
    withinMs: withinMs === 0 ? timeouts.connectMs + timeouts.readMs : withinMs,
    conditions: named?.reduce((bits, condition) => bits | bitOf(condition), 0),
    nonIdempotent: settings.retries.nonIdempotent || named?.includes('non_idempotent') === true,
  }
}

/** What is known when an attempt has failed and no byte of a response has gone to the client. */
export interface FailedAttempt {
  readonly code: ProxyErrorCode
  /** The head of the request has gone up. */
  readonly sent: boolean
  /** A kept connection closed before the first byte of the response. */
  readonly staleConnection: boolean
  readonly idempotent: boolean
  /** All of the body that was sent can be sent again. */
  readonly replayable: boolean
  /** There is an endpoint that was not tried. */
  readonly elsewhere: boolean
}

export function mayRetry(policy: RetryPolicy, failed: FailedAttempt, budget: RetryBudget): boolean {
  const condition = conditionOf[failed.code]
  if (condition === undefined) return false
  if (policy.conditions !== undefined && (policy.conditions & bitOf(condition)) === 0) return false
  if (!failed.sent) return proxyErrors[failed.code].retry !== 'never'
  if (!failed.replayable || !(failed.idempotent || policy.nonIdempotent)) return false
  if (failed.staleConnection) return true
  return policy.conditions !== undefined && failed.elsewhere && budget.take()
}

/** Whether a response with this status is one of those that the policy throws away. */
export function isRetriedStatus(policy: RetryPolicy, status: number): boolean {
  const condition = statusConditions.get(status)
  return condition !== undefined && policy.conditions !== undefined && (policy.conditions & bitOf(condition)) !== 0
}

/** The same for a response as `mayRetry` for a failure; its status is one of those of the policy. */
export function mayRetryResponse(
  policy: RetryPolicy,
  failed: Pick<FailedAttempt, 'idempotent' | 'replayable' | 'elsewhere'>,
  budget: RetryBudget,
): boolean {
  return failed.replayable && failed.elsewhere && (failed.idempotent || policy.nonIdempotent) && budget.take()
}

const conditionOf: { readonly [Code in ProxyErrorCode]?: RetryCondition } = {
  connect_failed: 'error',
  endpoint_not_allowed: 'error',
  upstream_closed: 'error',
  connect_timeout: 'timeout',
  upstream_read_timeout: 'timeout',
  upstream_send_timeout: 'timeout',
  upstream_malformed: 'invalid_header',
}

const statusConditions: ReadonlyMap<number, RetryCondition> = new Map(
  retryConditions
    .filter(condition => condition.startsWith('http_'))
    .map(condition => [Number(condition.slice('http_'.length)), condition]),
)

function bitOf(condition: RetryCondition): number {
  return 1 << retryConditions.indexOf(condition)
}

/**
 * What requests may cost beyond themselves when everything fails: one sent again for every five requests, and a few
 * that a quiet worker has saved.
 */
export class RetryBudget {
  #saved = mostSaved

  /** A request of a route whose policy costs something. */
  earn(): void {
    this.#saved = Math.min(mostSaved, this.#saved + perRequest)
  }

  take(): boolean {
    if (this.#saved < 1) return false
    this.#saved--
    return true
  }
}

const mostSaved = 10
const perRequest = 0.2
