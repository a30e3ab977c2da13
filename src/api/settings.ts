import type { LabelSelector } from './kubernetes.ts'
import type { TlsParameters } from './tls-profile.ts'

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
    /** Longest idle time of a client connection between two requests. */
    readonly keepAliveMs: number
    readonly connectMs: number
    /** Longest wait for the next byte of an endpoint. */
    readonly readMs: number
    /** Longest wait for an endpoint, or a client, to take the next byte. */
    readonly sendMs: number
    /** How long a request in flight may go on after SIGTERM. */
    readonly drainMs: number
  }
  readonly limits: {
    /** 0 is unlimited. */
    readonly maxBodyBytes: number
    readonly maxRequestLineBytes: number
    readonly maxHeaderBytes: number
    readonly maxHeaderCount: number
    /** Client connections of one worker. */
    readonly maxConnections: number
    /** TLS handshakes of one worker that are under way; over it the oldest one makes room. */
    readonly maxHandshakes: number
    /** Requests on one client connection before it is closed; 0 is unlimited. */
    readonly maxRequestsPerConnection: number
  }
  readonly upstreamKeepAlive: {
    /** Idle connections kept per endpoint and worker. */
    readonly maxIdlePerEndpoint: number
    readonly idleMs: number
    readonly maxRequestsPerConnection: number
  }
  /** What a handshake with a client may agree on. */
  readonly tls: TlsParameters
  /** Believe X-Forwarded-* of clients; off, they are replaced. */
  readonly trustForwardedHeaders: boolean
  /** Redirect plain HTTP to HTTPS on hosts with TLS, where the Ingress does not say otherwise. */
  readonly tlsRedirect: boolean
  readonly redirectStatus: 301 | 302 | 307 | 308
}

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
