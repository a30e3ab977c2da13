import type { ProxySettings } from '../api/settings.ts'
import { normalizeHost } from './host-name.ts'
import { CompiledHost, findHost, findRoute } from './match.ts'
import type { Backend, Certificate, Delta, Host, Route } from './model.ts'

export interface Match {
  /** The host whose route it is: the default route of the host '' also serves other hosts. */
  readonly host: Host
  readonly route: Route
}

/**
 * What one data worker serves. A delta swaps whole hosts, backends and certificates; who holds one of them keeps it
 * as it was.
 */
export class RoutingTable {
  readonly #hosts = new Map<string, CompiledHost>()
  readonly #backends = new Map<string, Backend>()
  readonly #certificates = new Map<string, Certificate>()
  #revision = 0
  #routes = 0
  #defaultCertificate: string | undefined
  #settings: ProxySettings | undefined

  apply(delta: Delta): void {
    for (const [name, host] of delta.hosts) this.#replaceHost(name, host)
    replaceAll(this.#backends, delta.backends)
    replaceAll(this.#certificates, delta.certificates)
    this.#defaultCertificate = delta.defaultCertificate ?? this.#defaultCertificate
    this.#settings = delta.settings ?? this.#settings
    this.#revision = delta.revision
  }

  /**
   * The route for a host (lower case, without port and trailing dot) and a path (without query); undefined is 404.
   * The most specific host owns the request; what it leaves over goes to the default route of the host ''.
   */
  find(host: string, path: string): Match | undefined {
    const compiled = findHost(this.#hosts, host)
    if (compiled === undefined) return undefined
    const route = findRoute(compiled, path) ?? compiled.host.defaultRoute
    if (route !== undefined) return { host: compiled.host, route }
    const fallback = this.#hosts.get('')?.host
    return fallback?.defaultRoute === undefined ? undefined : { host: fallback, route: fallback.defaultRoute }
  }

  /** The entry that owns requests for a host name, with or without a route for them. */
  host(name: string): Host | undefined {
    return findHost(this.#hosts, name)?.host
  }

  backend(id: string): Backend | undefined {
    return this.#backends.get(id)
  }

  certificate(id: string): Certificate | undefined {
    return this.#certificates.get(id)
  }

  /** The entry for a TLS server name, in any case and with a trailing dot or without. */
  hostOfServerName(serverName: string): Host | undefined {
    return this.host(normalizeHost(serverName))
  }

  /** Id of the certificate for a TLS server name; undefined when there is not even a default one. */
  certificateFor(serverName: string): string | undefined {
    return this.hostOfServerName(serverName)?.certificate ?? this.#defaultCertificate
  }

  get revision(): number {
    return this.#revision
  }

  get defaultCertificate(): string | undefined {
    return this.#defaultCertificate
  }

  get settings(): ProxySettings | undefined {
    return this.#settings
  }

  get counts(): {
    readonly hosts: number
    readonly routes: number
    readonly backends: number
    readonly certificates: number
  } {
    return {
      hosts: this.#hosts.size,
      routes: this.#routes,
      backends: this.#backends.size,
      certificates: this.#certificates.size,
    }
  }

  hosts(): readonly Host[] {
    return [...this.#hosts.values()].map(compiled => compiled.host)
  }

  backends(): readonly Backend[] {
    return [...this.#backends.values()]
  }

  certificates(): readonly Certificate[] {
    return [...this.#certificates.values()]
  }

  #replaceHost(name: string, host: Host | undefined): void {
    this.#routes -= routeCount(this.#hosts.get(name)?.host)
    this.#routes += routeCount(host)
    if (host === undefined) this.#hosts.delete(name)
    else this.#hosts.set(name, new CompiledHost(host))
  }
}

function routeCount(host: Host | undefined): number {
  return host === undefined ? 0 : host.routes.length + (host.defaultRoute === undefined ? 0 : 1)
}

function replaceAll<X>(map: Map<string, X>, changes: ReadonlyMap<string, X | undefined>): void {
  for (const [id, value] of changes) {
    if (value === undefined) map.delete(id)
    else map.set(id, value)
  }
}
