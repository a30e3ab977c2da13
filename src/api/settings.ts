import type { LabelSelector } from './kubernetes.ts'
import type { Algorithm } from './load-balance.ts'

/**
 * Effective settings of one proxy: every default is filled in. The operator resolves them from
 * `spec.configuration` and writes them to the instance's ConfigMap; `serve` resolves them from files.
 */
export interface ProxySettings {
  /** Data workers; `auto` is one per processor granted. */
  readonly workers: number | 'auto'
  readonly accessLog: 'off' | 'text' | 'json'
  readonly timeouts: {
    /** From the first byte of a request head (or the accept) to its last. */
    readonly clientHeadMs: number
    /** Longest wait between two pieces of a request body. */
    readonly clientBodyMs: number
    /** How long a request may fall short of its minimum rate. */
    readonly slowClientGraceMs: number
    /** Longest idle time of a client connection between two requests. */
    readonly keepAliveMs: number
    readonly connectMs: number
    /** Longest wait for the next byte of an endpoint. */
    readonly readMs: number
    /** Longest wait for an endpoint, or a client, to take the next byte. */
    readonly sendMs: number
    /** How long a request in flight may go on after SIGTERM. */
    readonly drainMs: number
    /** From the end of listening: each tunnel is closed at a moment of its own in the second half of it. */
    readonly tunnelDrainMs: number
  }
  readonly limits: {
    /** 0 is unlimited. */
    readonly maxBodyBytes: number
    readonly maxRequestLineBytes: number
    readonly maxHeaderBytes: number
    readonly maxHeaderCount: number
    /** Client connections of one worker. */
    readonly maxConnections: number
    /** Client connections of one worker from one address, an IPv6 /64 being one; 0 is unlimited. */
    readonly maxConnectionsPerAddress: number
    /** Requests on one client connection before it is closed; 0 is unlimited. */
    readonly maxRequestsPerConnection: number
    /** Of one request body, where requests are buffered: a longer one is passed on as it comes. */
    readonly maxBufferedBodyBytes: number
    /** Slowest request head and body; 0 is no limit. */
    readonly minHeadBytesPerSecond: number
    readonly minBodyBytesPerSecond: number
    /** Memory of the process above which work is refused; 0 is what follows from the limit of its control group. */
    readonly maxMemoryBytes: number
  }
  readonly upstreamKeepAlive: {
    /** Idle connections kept per endpoint and worker. */
    readonly maxIdlePerEndpoint: number
    readonly idleMs: number
    /** 0 is unlimited. */
    readonly maxRequestsPerConnection: number
    /** Each connection gets up to a tenth less; 0 is unlimited. */
    readonly maxLifetimeMs: number
  }
  /** Read a request body whole before an endpoint is asked, where the Ingress does not say otherwise. */
  readonly requestBuffering: boolean
  readonly retries: {
    /** `safe`: only where it can do no harm, see `retry-policy.ts`. */
    readonly on: 'safe' | readonly RetryCondition[]
    /** Also methods that are not idempotent. */
    readonly nonIdempotent: boolean
    /** Most attempts for a request; 0 is the default number, in which refused connections do not count. */
    readonly attempts: number
    /** No attempt begins later after the first one; 0 is the default: the connect and the read timeout together. */
    readonly withinMs: number
  }
  readonly loadBalance: {
    /** Where an Ingress does not say otherwise. */
    readonly algorithm: Algorithm
    /** How long the share of an endpoint grows that joins others; 0 gives it its full share at once. */
    readonly slowStartMs: number
  }
  /** Believe X-Forwarded-* of clients; off, they are replaced. */
  readonly trustForwardedHeaders: boolean
  /** Redirect plain HTTP to HTTPS on hosts with TLS, where the Ingress does not say otherwise. */
  readonly tlsRedirect: boolean
  readonly redirectStatus: 301 | 302 | 307 | 308
}

/** Failures after which another endpoint is asked, by nginx's names (`proxy_next_upstream`). */
export const retryConditions = [
  'error',
  'timeout',
  'invalid_header',
  'http_500',
  'http_502',
  'http_503',
  'http_504',
  'http_403',
  'http_404',
  'http_429',
  'non_idempotent',
  'off',
] as const
export type RetryCondition = (typeof retryConditions)[number]

/** What a proxy in a cluster must know about its instance: the value of key `instance.json` of its ConfigMap. */
export interface InstanceConfiguration {
  readonly instance: { readonly namespace: string; readonly name: string }
  readonly ingressClass: IngressClassIdentity
  /** Namespaces whose Ingresses are served; `null` is all of them. */
  readonly namespaces: readonly string[] | null
  readonly ingressSelector: LabelSelector | null
  /** Namespaces where this instance's proxies may read Secrets. */
  readonly secretNamespaces: readonly string[]
  /** Secret of the instance's own namespace with the certificate for hosts that have none. */
  readonly defaultCertificateSecretName: string
  readonly settings: ProxySettings
}

export interface IngressClassIdentity {
  readonly name: string
  /** Also serve Ingresses that name no class. */
  readonly isDefault: boolean
  readonly controller: string
}
