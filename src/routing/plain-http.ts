import type { ProxySettings } from '../api/settings.ts'
import type { Host, Route } from './model.ts'

/** What a request that came without TLS gets on a route. */
export function plainHttpAction(
  host: Host,
  route: Route,
  settings: Pick<ProxySettings, 'tlsRedirect'>,
): 'serve' | 'redirect' | 'refuse' {
  if (route.options.clearTextRefusal === true) return 'refuse'
  return (route.options.tlsRedirect ?? (host.tls && settings.tlsRedirect)) ? 'redirect' : 'serve'
}
