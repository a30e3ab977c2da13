import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { refuseEndpointAddress, refuseExternalAddress } from '../routing/address-policy.ts'

export const notAllowedCode = 'ERR_ENDPOINT_NOT_ALLOWED'

/**
 * Where an endpoint may never be, unless loopback is allowed: the proxy's own host and link-local addresses, where
 * admin interfaces and cloud metadata live. A tenant chooses the name of an ExternalName Service.
 */
export class EndpointGuard {
  readonly #allowLoopback: boolean

  constructor(options: { readonly allowLoopback: boolean }) {
    this.#allowLoopback = options.allowLoopback
  }

  /** False for a literal address where no endpoint may be; names are judged when they are resolved. */
  allows(address: string): boolean {
    return isIP(address) === 0 || refuseEndpointAddress(address, this.#allowLoopback) === undefined
  }

  /** For `net.connect`: judges the address that is really connected to, so a name cannot change in between. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0)
      const allowed = addresses.filter(({ address }) => this.#allowsResolved(address))
      const [first] = allowed
      if (first === undefined) return callback(notAllowed(hostname), '', 0)
      if (options.all === true) return callback(null, allowed)
      return callback(null, first.address, first.family)
    })
  }

  #allowsResolved(address: string): boolean {
    return this.#allowLoopback ? this.allows(address) : refuseExternalAddress(address) === undefined
  }
}

function notAllowed(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${hostname} resolves to addresses where no endpoint may be`), {
    code: notAllowedCode,
  })
}
