import { plainHttpAction } from '../../routing/plain-http.ts'
import type { Phase, RequestFacts } from './phase.ts'

/** Never redirected, so that a certificate can be had for a host that has none yet (RFC 8555 section 8.3). */
const challengePrefix = '/.well-known/acme-challenge'

/**
 * Plain HTTP where the host has TLS, or the route asks for it: redirected to HTTPS; or 503 where the certificate
 * cannot be used and the redirect is forbidden, never the backend.
 */
export const plainHttp: Phase = {
  name: 'plain-http',
  bind: ({ host, route, settings }) => {
    const action = plainHttpAction(host, route, settings)
    if (action === 'serve') return undefined
    const refusal = { status: 503, error: 'route_refused' } as const
    if (action === 'refuse') return request => (request.secure ? undefined : refusal)
    const keepSlash = route.options.preserveTrailingSlash === true
    return request => {
      if (request.secure || isChallenge(request.head.path)) return undefined
      // A client of HTTP/1.0 that names no host cannot be told where to go, and must not get the content in the clear.
      if (request.redirectHost === '') return { status: 400, error: 'bad_request' }
      return { status: settings.redirectStatus, location: locationOf(request, keepSlash) }
    }
  },
}

function isChallenge(path: string): boolean {
  return (
    path.startsWith(challengePrefix) && (path.length === challengePrefix.length || path[challengePrefix.length] === '/')
  )
}

/** ingress-nginx takes one slash from the end of the whole target, query included. */
function locationOf({ head, redirectHost }: RequestFacts, keepSlash: boolean): string {
  const target = head.target === '*' ? '' : head.target
  const shortened = !keepSlash && target.endsWith('/') ? target.slice(0, -1) : target
  return `https://${redirectHost}${shortened}`
}
