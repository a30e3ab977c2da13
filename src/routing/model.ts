import type { ObjectReference } from '../api/problem.ts'
import type { ProxySettings } from '../api/settings.ts'
import type { RouteOptions } from './annotations.ts'

/**
 * What the control thread sends to data workers: whole hosts, backends and certificates, as plain data that
 * `structuredClone` can carry. A request keeps the objects with which it began; nothing here is ever patched.
 */

export interface Endpoint {
  /** IPv4 or IPv6 address without brackets; a DNS name only for a Service of type ExternalName. */
  readonly address: string
  readonly port: number
  readonly zone?: string
}

export interface Backend {
  /** `namespace/service/port`, the port as the Ingress wrote it (number or name). */
  readonly id: string
  readonly namespace: string
  readonly service: string
  readonly port: string
  /** Those to use now: the ready ones, or the serving and terminating ones when no ready one is left. Sorted. */
  readonly endpoints: readonly Endpoint[]
  /** Indexes of those that are meant for the proxy's zone, where hints say so. The others are for when these fail. */
  readonly near?: readonly number[]
}

export interface Route {
  /** `namespace/ingress/host/match` and then the path, as in `shop/web/shop.example/prefix/cart`; unique in the table. */
  readonly id: string
  /** Begins with `/`. For Prefix without its trailing slash, but for the root. */
  readonly path: string
  readonly match: 'exact' | 'prefix'
  readonly ingress: { readonly namespace: string; readonly name: string }
  readonly backend: string | undefined
  /** Set when the route must not be served: the proxy answers with this status (503), never from its backend. */
  readonly refusal: { readonly status: number; readonly reason: string } | undefined
  readonly options: RouteOptions
}

export interface Host {
  /** Lower case; `*.example.com` matches exactly one more label; empty is every host without an entry. */
  readonly name: string
  /** In order of precedence: the first that matches wins. */
  readonly routes: readonly Route[]
  /**
   * From `spec.defaultBackend` of its oldest Ingress with one: for every path that no route matches. That of the host
   * '' also takes what other hosts leave over.
   */
  readonly defaultRoute: Route | undefined
  /** Listed in `spec.tls` of one of its Ingresses. */
  readonly tls: boolean
  /** Id of the certificate to serve; undefined is the default certificate. */
  readonly certificate: string | undefined
  /** Set when its clients are to have certificates of their own. */
  readonly clientCertificates?: ClientCertificateRule
}

/** Who may ask a host, as `auth-tls-*` says it (ngx_http_ssl_module's `ssl_verify_client`). */
export interface ClientCertificateRule {
  /**
   * `on`: only with a valid certificate. `optional`: also without any, but with no invalid one. `optional_no_ca`: also
   * with one of an unknown authority; the backend judges.
   */
  readonly verify: 'on' | 'optional' | 'optional_no_ca'
  /** Most authorities between the certificate and a self-signed one. */
  readonly maxDepth: number
  /** Certificates of the authorities in PEM; one at least is self-signed. */
  readonly authorities: string
  /** Revocation lists in PEM. */
  readonly revocations?: string
  /** Give the backend the certificate. */
  readonly passCertificate: boolean
  /** Common names that are let in; absent lets in all. */
  readonly commonNames?: CommonNames
}

/** Alternatives, of which those in `prefixes` may go on. */
export interface CommonNames {
  readonly exact: readonly string[]
  readonly prefixes: readonly string[]
}

export interface Certificate {
  /** `namespace/secret`. */
  readonly id: string
  /** Chain in PEM, leaf first. */
  readonly certificate: string
  /** Private key in PEM. Never logged. */
  readonly key: string
}

/** A step from one revision of the table to the next; `undefined` removes. */
export interface Delta {
  readonly revision: number
  readonly hosts: ReadonlyMap<string, Host | undefined>
  readonly backends: ReadonlyMap<string, Backend | undefined>
  readonly certificates: ReadonlyMap<string, Certificate | undefined>
  /** Id of the certificate for hosts without one; sent only when it changed. */
  readonly defaultCertificate?: string
  /** Sent only when they changed. */
  readonly settings?: ProxySettings
}

/** Which objects brought a delta about, for the log line `configuration changed`. */
export type ChangedObject = Pick<ObjectReference, 'kind' | 'namespace' | 'name'>
