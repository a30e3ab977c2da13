import { type Algorithm, algorithms } from '../api/load-balance.ts'
import type { ProxySettings, RetryCondition } from '../api/settings.ts'
import type { TlsParameters } from '../api/tls-profile.ts'
import {
  booleanAllowed,
  bufferSizeAllowed,
  countAllowed,
  durationAllowed,
  readBoolean,
  readBufferSize,
  readCount,
  readDuration,
  readOneOf,
  readRetryConditions,
  readSeconds,
  readSecondsOrNone,
  readSize,
  readSwitch,
  retryConditionsAllowed,
  secondsAllowed,
  secondsOrNoneAllowed,
  sizeAllowed,
  switchAllowed,
} from './annotation-values.ts'
import {
  readTlsCurves,
  readTlsSuites,
  readTlsVersions,
  tlsCurvesAllowed,
  tlsSuitesAllowed,
  tlsVersionsAllowed,
} from './tls-values.ts'

/** Settings before defaults are filled in, without their groups. Units as in `ProxySettings`. */
export type SettingValues = Partial<
  Pick<
    ProxySettings,
    'workers' | 'accessLog' | 'trustForwardedHeaders' | 'tls' | 'tlsRedirect' | 'redirectStatus' | 'requestBuffering'
  > &
    ProxySettings['timeouts'] &
    ProxySettings['limits'] & {
      readonly maxIdlePerEndpoint: number
      readonly upstreamIdleMs: number
      readonly maxRequestsPerUpstreamConnection: number
      readonly algorithm: Algorithm
      readonly slowStartMs: number
      readonly upstreamLifetimeMs: number
      readonly retryOn: ProxySettings['retries']['on']
      readonly retryNonIdempotent: boolean
      readonly retryAttempts: number
      readonly retryWithinMs: number
      /** Parts of `tls`, where no profile says all of it. */
      readonly tlsVersions: Pick<TlsParameters, 'minVersion' | 'maxVersion'>
      readonly tlsSuites: Pick<TlsParameters, 'cipherSuites'>
      readonly tlsCurves: Pick<TlsParameters, 'curves'>
    }
>

/** One key of the ingress-nginx ConfigMap that does what it says. */
export interface ConfigMapSetting {
  readonly key: string
  /** What it sets; undefined when the text is not allowed. */
  readonly read: (text: string) => SettingValues | undefined
  readonly allowed: string
  readonly doc: string
}

/** Settings that can take any value of type T. */
type Name<T> = { [K in keyof SettingValues]-?: T extends SettingValues[K] ? K : never }[keyof SettingValues]

function setting<T>(
  key: string,
  name: Name<T>,
  reader: readonly [(text: string) => T | undefined, string, string],
): ConfigMapSetting {
  const [readValue, allowed, doc] = reader
  return {
    key,
    allowed,
    doc,
    read: text => {
      const value = readValue(text)
      return value === undefined ? undefined : { [name]: value }
    },
  }
}

function between(least: number, most: number): (text: string) => number | undefined {
  return text => {
    const value = readCount(text)
    return value === undefined || value < least || value > most ? undefined : value
  }
}

function readRedirectStatus(text: string): 301 | 302 | 307 | 308 | undefined {
  return ([301, 302, 307, 308] as const).find(status => String(status) === text)
}

function readWorkers(text: string): number | 'auto' | undefined {
  return text === 'auto' ? 'auto' : between(1, 64)(text)
}

/** `4 8k` in nginx is four buffers; one field line fits in one, and so does the request line. */
function readHeaderBuffers(text: string): SettingValues | undefined {
  const parts = /^(\d{1,4})\s+(\S+)$/.exec(text)
  const count = Number(parts?.[1] ?? Number.NaN)
  const bytes = readSize(parts?.[2] ?? '')
  if (Number.isNaN(count) || count < 1 || bytes === undefined || bytes < 1) return undefined
  return { maxRequestLineBytes: clampHead(bytes), maxHeaderBytes: clampHead(bytes * count) }
}

/** Bounds of the typed fields: a worker must be able to hold the head of every connection. */
function clampHead(bytes: number): number {
  return Math.min(Math.max(bytes, 1024), 65_536)
}

function flag(meaning: (on: boolean) => SettingValues): (text: string) => SettingValues | undefined {
  return text => {
    const on = readBoolean(text)
    return on === undefined ? undefined : meaning(on)
  }
}

const rows: readonly ConfigMapSetting[] = [
  setting<number>('proxy-connect-timeout', 'connectMs', [
    readSeconds,
    secondsAllowed,
    'longest time to connect to an endpoint',
  ]),
  setting<number>('proxy-read-timeout', 'readMs', [
    readSeconds,
    secondsAllowed,
    'longest wait for the next byte of an endpoint',
  ]),
  setting<number>('proxy-send-timeout', 'sendMs', [
    readSeconds,
    secondsAllowed,
    'longest wait for the next byte to be taken',
  ]),
  setting<number>('client-header-timeout', 'clientHeadMs', [
    readSeconds,
    secondsAllowed,
    'longest time for a request head',
  ]),
  setting<number>('client-body-timeout', 'clientBodyMs', [
    readSeconds,
    secondsAllowed,
    'longest wait between two pieces of a request body',
  ]),
  setting<number>('keep-alive', 'keepAliveMs', [
    readSeconds,
    secondsAllowed,
    'longest idle time of a client connection',
  ]),
  setting<number>('keep-alive-requests', 'maxRequestsPerConnection', [
    between(1, 1e9),
    'a whole number from 1, as in "1000"',
    'requests on one client connection',
  ]),
  setting<number>('proxy-body-size', 'maxBodyBytes', [readSize, sizeAllowed, 'longest request body']),
  setting<number>('max-worker-connections', 'maxConnections', [
    between(1, 1_000_000),
    'a whole number from 1 to 1000000',
    'client connections of one worker',
  ]),
  setting<number>('upstream-keepalive-connections', 'maxIdlePerEndpoint', [
    between(0, 10_000),
    'a whole number from 0 to 10000',
    'idle connections per endpoint and worker',
  ]),
  setting<number>('upstream-keepalive-timeout', 'upstreamIdleMs', [
    readSeconds,
    secondsAllowed,
    'how long an idle connection to an endpoint is kept',
  ]),
  setting<number>('upstream-keepalive-requests', 'maxRequestsPerUpstreamConnection', [
    readCount,
    countAllowed,
    'requests on one connection to an endpoint',
  ]),
  setting<Algorithm>('load-balance', 'algorithm', [
    readOneOf(...algorithms),
    'one of "round_robin", "least_requests", "ewma" and "consistent_hash"',
    'how an endpoint is chosen',
  ]),
  setting<number>('upstream-keepalive-time', 'upstreamLifetimeMs', [
    readDuration,
    durationAllowed,
    'longest time that one connection to an endpoint is used',
  ]),
  setting<boolean>('proxy-request-buffering', 'requestBuffering', [
    readSwitch,
    switchAllowed,
    'read a request body whole before an endpoint is asked',
  ]),
  setting<number>('client-body-buffer-size', 'maxBufferedBodyBytes', [
    readBufferSize,
    bufferSizeAllowed,
    'most bytes of a body that are held where requests are buffered',
  ]),
  setting<readonly RetryCondition[]>('proxy-next-upstream', 'retryOn', [
    readRetryConditions,
    retryConditionsAllowed,
    'failures after which another endpoint is asked',
  ]),
  setting<number>('proxy-next-upstream-tries', 'retryAttempts', [
    readCount,
    countAllowed,
    'most endpoints that are tried for one request',
  ]),
  setting<number>('proxy-next-upstream-timeout', 'retryWithinMs', [
    readSecondsOrNone,
    secondsOrNoneAllowed,
    'no other endpoint is asked later than this after the first one',
  ]),
  setting<boolean>('retry-non-idempotent', 'retryNonIdempotent', [
    readBoolean,
    booleanAllowed,
    'ask another endpoint also for methods that are not idempotent',
  ]),
  setting<boolean>('use-forwarded-headers', 'trustForwardedHeaders', [
    readBoolean,
    booleanAllowed,
    'believe X-Forwarded-* of clients',
  ]),
  setting<SettingValues['tlsVersions']>('ssl-protocols', 'tlsVersions', [
    readTlsVersions,
    tlsVersionsAllowed,
    'TLS versions',
  ]),
  setting<SettingValues['tlsSuites']>('ssl-ciphers', 'tlsSuites', [
    readTlsSuites,
    tlsSuitesAllowed,
    'cipher suites of TLS 1.2 and lower; those of TLS 1.3 stay',
  ]),
  setting<SettingValues['tlsCurves']>('ssl-ecdh-curve', 'tlsCurves', [
    readTlsCurves,
    tlsCurvesAllowed,
    'groups of the key exchange',
  ]),
  setting<boolean>('ssl-redirect', 'tlsRedirect', [
    readBoolean,
    booleanAllowed,
    'redirect HTTP to HTTPS on hosts with TLS',
  ]),
  setting<301 | 302 | 307 | 308>('http-redirect-code', 'redirectStatus', [
    readRedirectStatus,
    '"301", "302", "307" or "308"',
    'status of that redirect',
  ]),
  setting<number | 'auto'>('worker-processes', 'workers', [
    readWorkers,
    '"auto" or a whole number from 1 to 64',
    'data workers of each proxy',
  ]),
  setting<number>('worker-shutdown-timeout', 'drainMs', [
    readDuration,
    durationAllowed,
    'how long a request in flight may go on after SIGTERM',
  ]),
  {
    key: 'large-client-header-buffers',
    read: readHeaderBuffers,
    allowed: 'a number and a size, as in "4 8k"',
    doc: 'longest request line (one buffer) and header section (all of them)',
  },
  {
    key: 'log-format-escape-json',
    read: flag(on => (on ? { accessLog: 'json' } : {})),
    allowed: booleanAllowed,
    doc: 'access log in JSON',
  },
  {
    // After log-format-escape-json, because a later row wins.
    key: 'disable-access-log',
    read: flag(on => (on ? { accessLog: 'off' } : {})),
    allowed: booleanAllowed,
    doc: 'no access log',
  },
  {
    key: 'disable-http-access-log',
    read: flag(on => (on ? { accessLog: 'off' } : {})),
    allowed: booleanAllowed,
    doc: 'no access log',
  },
]

/** The keys that do what they say; of two that set the same, the later one wins. */
export const configMapSettings: ReadonlyMap<string, ConfigMapSetting> = new Map(rows.map(row => [row.key, row]))
