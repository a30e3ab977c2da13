import { algorithms } from '../api/load-balance.ts'
import { honoured } from './annotation-row.ts'
import { booleanAllowed, readBoolean, readCount, readOneOf } from './annotation-values.ts'
import { hashExpressionAllowed, readHashExpression } from './hash-expression.ts'
import {
  cookieDomainAllowed,
  cookieNameAllowed,
  cookiePathAllowed,
  cookieSecondsAllowed,
  readCookieDomain,
  readCookieName,
  readCookiePath,
  readCookieSeconds,
} from './session-cookie.ts'

const ingress = { scope: 'ingress' } as const

/** Rows of the annotations that say how an endpoint is chosen. `affinity` wins over `upstream-hash-by`, that over `load-balance`. */
export const balancingAnnotations = {
  loadBalance: honoured({
    key: 'load-balance',
    read: readOneOf(...algorithms),
    allowed: 'one of "round_robin", "least_requests", "ewma" and "consistent_hash" (of the client\'s address)',
    risk: 'low',
    doc: 'how an endpoint is chosen; the setting loadBalance.algorithm (round_robin) when absent',
  }),
  upstreamHashBy: honoured({
    key: 'upstream-hash-by',
    read: readHashExpression,
    allowed: hashExpressionAllowed,
    risk: 'high',
    onInvalid: 'refuse',
    doc: 'requests with the same value of this expression go to the same endpoint; those for which it is empty are spread',
  }),
  upstreamHashBySubset: honoured({
    key: 'upstream-hash-by-subset',
    read: readBoolean,
    allowed: booleanAllowed,
    risk: 'low',
    doc: 'upstream-hash-by leads to several endpoints, one of them at random; false when absent',
  }),
  upstreamHashBySubsetSize: honoured({
    key: 'upstream-hash-by-subset-size',
    read: readSubsetSize,
    allowed: 'a whole number from 1 to 64, as in "3"',
    risk: 'low',
    doc: 'how many with upstream-hash-by-subset; 3 when absent',
  }),
  affinity: honoured({
    key: 'affinity',
    read: readOneOf('cookie'),
    allowed: '"cookie", the only kind there is',
    risk: 'low',
    doc: 'a client stays with its endpoint, by a cookie',
    ...ingress,
  }),
  affinityMode: honoured({
    key: 'affinity-mode',
    read: readOneOf('balanced', 'persistent'),
    allowed: '"balanced" or "persistent"',
    risk: 'medium',
    doc: 'both keep a client with its endpoint as long as that lives; balanced when absent',
    ...ingress,
  }),
  sessionCookieName: honoured({
    key: 'session-cookie-name',
    read: readCookieName,
    allowed: cookieNameAllowed,
    risk: 'medium',
    doc: 'name of the cookie of affinity; INGRESSCOOKIE when absent',
    ...ingress,
  }),
  sessionCookiePath: honoured({
    key: 'session-cookie-path',
    read: readCookiePath,
    allowed: cookiePathAllowed,
    risk: 'medium',
    doc: 'its Path; the path of the Ingress when absent',
    ...ingress,
  }),
  sessionCookieDomain: honoured({
    key: 'session-cookie-domain',
    read: readCookieDomain,
    allowed: cookieDomainAllowed,
    risk: 'medium',
    doc: 'its Domain; none when absent',
    ...ingress,
  }),
  sessionCookieExpires: honoured({
    key: 'session-cookie-expires',
    read: readCookieSeconds,
    allowed: cookieSecondsAllowed,
    risk: 'medium',
    doc: 'its Expires, in seconds from when it is set; none when absent',
    ...ingress,
  }),
  sessionCookieMaxAge: honoured({
    key: 'session-cookie-max-age',
    read: readCookieSeconds,
    allowed: cookieSecondsAllowed,
    risk: 'medium',
    doc: 'its Max-Age in seconds; none when absent',
    ...ingress,
  }),
  sessionCookieSameSite: honoured({
    key: 'session-cookie-samesite',
    read: readOneOf('None', 'Lax', 'Strict'),
    allowed: '"None", "Lax" or "Strict"',
    risk: 'low',
    doc: 'its SameSite; none when absent',
    ...ingress,
  }),
  sessionCookieConditionalSameSiteNone: honoured({
    key: 'session-cookie-conditional-samesite-none',
    read: readBoolean,
    allowed: booleanAllowed,
    risk: 'low',
    doc: 'leave SameSite=None out for browsers that misread it; false when absent',
    ...ingress,
  }),
  sessionCookieSecure: honoured({
    key: 'session-cookie-secure',
    read: readBoolean,
    allowed: booleanAllowed,
    risk: 'low',
    doc: 'Secure over plain HTTP too; over HTTPS it is always set',
    ...ingress,
  }),
  sessionCookiePartitioned: honoured({
    key: 'session-cookie-partitioned',
    read: readBoolean,
    allowed: booleanAllowed,
    risk: 'low',
    doc: 'its Partitioned; false when absent',
    ...ingress,
  }),
  sessionCookieChangeOnFailure: honoured({
    key: 'session-cookie-change-on-failure',
    read: readBoolean,
    allowed: booleanAllowed,
    risk: 'low',
    doc: 'when its endpoint fails, a client moves to another one; when absent it waits until the endpoint is removed',
    ...ingress,
  }),
} as const

/** A larger subset is nearly all endpoints, and finding it is work for every request. */
function readSubsetSize(text: string): number | undefined {
  const size = readCount(text)
  return size === undefined || size < 1 || size > 64 ? undefined : size
}
