import { hash } from 'node:crypto'
import { cookieEnd, findCookie } from '../http1/cookie-value.ts'
import type { Backend, Endpoint } from '../routing/model.ts'

/** 96 bits in base64url. */
const tokenLength = 16
const tokenShape = /^[\w-]{16}$/

/**
 * The names of a backend's endpoints in session cookies, found in both directions. A token is a hash of Service,
 * address and port, so every worker and replica knows it without being told, it does not show the address, and that
 * of one Service means nothing to another one. It is no secret: who forges one chooses an endpoint, as who asks often
 * enough can, too.
 */
export class EndpointTokens {
  readonly #backend: Backend
  readonly #tokens: readonly string[]
  readonly #indexes: ReadonlyMap<string, number>

  /** `before` are those of the version before: most endpoints of a large backend are in both. */
  constructor(backend: Backend, before: EndpointTokens | undefined) {
    this.#backend = backend
    const known = before?.byAddress()
    this.#tokens = backend.endpoints.map(endpoint => known?.get(addressOf(endpoint)) ?? tokenOf(backend, endpoint))
    this.#indexes = new Map(this.#tokens.map((token, index) => [token, index]))
  }

  byAddress(): ReadonlyMap<string, string> {
    return new Map(this.#backend.endpoints.map((endpoint, index) => [addressOf(endpoint), this.of(index)]))
  }

  of(index: number): string {
    return this.#tokens[index] ?? ''
  }

  /** Index of the endpoint that a cookie of this name (lower case) names; -1 when none does. */
  find(cookie: string, name: string): number {
    for (let at = findCookie(cookie, name, 0); at >= 0; at = findCookie(cookie, name, at)) {
      const index = this.#indexes.get(cookie.slice(at, cookieEnd(cookie, at)))
      if (index !== undefined) return index
      at = cookieEnd(cookie, at) + 1
    }
    return -1
  }
}

function addressOf({ address, port }: Endpoint): string {
  return `${address}/${port}`
}

function tokenOf({ namespace, service }: Backend, endpoint: Endpoint): string {
  const text = `${namespace}/${service}/${addressOf(endpoint)}`
  return hash('sha256', text, 'base64url').slice(0, tokenLength)
}

/** The first cookie of this name (lower case) that may be a token of ours; empty without one. */
export function findToken(cookie: string, name: string): string {
  for (let at = findCookie(cookie, name, 0); at >= 0; at = findCookie(cookie, name, at)) {
    const value = cookie.slice(at, cookieEnd(cookie, at))
    if (tokenShape.test(value)) return value
    at = cookieEnd(cookie, at) + 1
  }
  return ''
}
