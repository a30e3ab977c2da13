import type { Route } from '../routing/model.ts'
import { isCookiePath } from '../routing/session-cookie.ts'
import type { RequestFacts } from './phases/phase.ts'
import { understandsSameSiteNone } from './same-site-none.ts'

export const defaultCookieName = 'INGRESSCOOKIE'

/** How the clients of one route stay with their endpoints. */
export class SessionAffinity {
  /** In lower case, as cookies are looked for. */
  readonly cookieName: string
  /** A client moves when its endpoint fails, not only when it is removed. */
  readonly changeOnFailure: boolean
  readonly #name: string
  readonly #options: Route['options']
  readonly #path: string

  constructor({ options, path }: Pick<Route, 'options' | 'path'>) {
    this.#name = options.sessionCookieName ?? defaultCookieName
    this.cookieName = this.#name.toLowerCase()
    this.changeOnFailure = options.sessionCookieChangeOnFailure === true
    this.#options = options
    // A path of an Ingress may hold what would end the attribute.
    this.#path = options.sessionCookiePath ?? (isCookiePath(path) ? path : '/')
  }

  /** The field line that keeps the client with the endpoint of this token; `wallMs` is the time since 1970. */
  setCookie(token: string, request: RequestFacts, wallMs: number): string {
    const options = this.#options
    const attributes = [
      options.sessionCookieExpires === undefined ? '' : `; Expires=${date(wallMs, options.sessionCookieExpires)}`,
      options.sessionCookieMaxAge === undefined ? '' : `; Max-Age=${options.sessionCookieMaxAge}`,
      options.sessionCookieDomain === undefined ? '' : `; Domain=${options.sessionCookieDomain}`,
      `; Path=${this.#path}`,
      request.secure || options.sessionCookieSecure === true ? '; Secure' : '',
      '; HttpOnly',
      this.#sameSite(request.head.userAgent),
      options.sessionCookiePartitioned === true ? '; Partitioned' : '',
    ]
    return `Set-Cookie: ${this.#name}=${token}${attributes.join('')}\r\n`
  }

  #sameSite(userAgent: string): string {
    const { sessionCookieSameSite: sameSite, sessionCookieConditionalSameSiteNone: isConditional } = this.#options
    if (sameSite === undefined) return ''
    if (sameSite === 'None' && isConditional === true && !understandsSameSiteNone(userAgent)) return ''
    return `; SameSite=${sameSite}`
  }
}

/** As in `Mon, 02-Jan-06 15:04:05 GMT`: the form of ingress-nginx, which every browser reads (RFC 6265 section 5.1.1). */
function date(wallMs: number, seconds: number): string {
  const [day = '', number = '', month = '', year = '', time = ''] = new Date(wallMs + seconds * 1000)
    .toUTCString()
    .split(' ')
  return `${day} ${number}-${month}-${year.slice(-2)} ${time} GMT`
}
