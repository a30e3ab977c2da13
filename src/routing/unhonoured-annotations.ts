// One row an annotation, without logic: it is longer than the guide because a split table is harder to check.
import {
  ignored,
  refused,
  refusedProtection,
  skipped,
  type UnhonouredAnnotation,
  unsupported,
} from './annotation-row.ts'
import { isFalse, oneOf, readBoolean } from './annotation-values.ts'

const off = { harmless: isFalse, allowed: '"false"' } as const
const switchOff = { harmless: oneOf('off'), allowed: '"off"' } as const
const zero = { harmless: oneOf('0'), allowed: '"0"' } as const
const ingress = { scope: 'ingress' } as const

/** Known annotations of ingress-nginx without an effect of their own, and what becomes of an Ingress that has one. */
export const unhonouredAnnotations: readonly UnhonouredAnnotation[] = [
  // Who may come through. Serving a route without it would open what its author closed.
  refusedProtection({ key: 'auth-type', risk: 'low', doc: 'basic or digest authentication' }),
  refusedProtection({ key: 'auth-secret', risk: 'medium', doc: 'Secret with the users of basic authentication' }),
  refusedProtection({ key: 'auth-secret-type', risk: 'low', doc: 'shape of the Secret of basic authentication' }),
  refusedProtection({ key: 'auth-realm', risk: 'medium', doc: 'realm of basic authentication' }),
  refusedProtection({ key: 'auth-url', risk: 'high', doc: 'external service that decides on each request' }),
  refusedProtection({
    key: 'auth-signin',
    risk: 'high',
    doc: 'where clients sign in that the external service refuses',
  }),
  refusedProtection({
    key: 'auth-signin-redirect-param',
    risk: 'medium',
    doc: 'name of the parameter of auth-signin with the way back',
  }),
  refusedProtection({ key: 'auth-method', risk: 'low', doc: 'method of the request to the external service' }),
  refusedProtection({
    key: 'auth-response-headers',
    risk: 'medium',
    doc: 'fields of the answer of the external service that the backend gets',
  }),
  refusedProtection({
    key: 'auth-proxy-set-headers',
    risk: 'medium',
    doc: 'fields of the request to the external service',
  }),
  refusedProtection({
    key: 'auth-request-redirect',
    risk: 'medium',
    doc: 'X-Auth-Request-Redirect field of the request to the external service',
  }),
  refusedProtection({
    key: 'auth-cache-key',
    risk: 'medium',
    doc: 'under what the answers of the external service are kept',
  }),
  refusedProtection({
    key: 'auth-cache-duration',
    risk: 'medium',
    doc: 'how long the answers of the external service are kept',
  }),
  refusedProtection({
    key: 'auth-always-set-cookie',
    risk: 'low',
    doc: 'cookies of the external service in error answers too',
    ...off,
  }),
  refusedProtection({
    key: 'auth-keepalive',
    risk: 'low',
    doc: 'connections to the external service kept open',
    ...zero,
  }),
  refusedProtection({
    key: 'auth-keepalive-requests',
    risk: 'low',
    doc: 'requests on one connection to the external service',
  }),
  refusedProtection({
    key: 'auth-keepalive-timeout',
    risk: 'low',
    doc: 'idle time of a connection to the external service',
  }),
  refusedProtection({
    key: 'auth-keepalive-share-vars',
    risk: 'low',
    doc: 'nginx variables in the request to the external service',
    ...off,
  }),
  refusedProtection({
    key: 'auth-snippet',
    risk: 'critical',
    doc: 'nginx text for the request to the external service',
  }),
  refusedProtection({
    key: 'enable-global-auth',
    risk: 'low',
    doc: 'take part in the external authentication of all routes',
    ...off,
  }),
  refusedProtection({
    key: 'satisfy',
    risk: 'low',
    doc: 'whether one of several protections is enough',
    harmless: oneOf('all'),
    allowed: '"all"',
  }),
  refusedProtection({ key: 'auth-tls-error-page', risk: 'high', doc: 'where clients without a certificate are sent' }),
  refusedProtection({ key: 'enable-modsecurity', risk: 'low', doc: 'web application firewall', ...off, ...ingress }),
  refusedProtection({
    key: 'enable-owasp-core-rules',
    risk: 'low',
    doc: 'core rules of the web application firewall',
    ...off,
    ...ingress,
  }),
  refusedProtection({
    key: 'modsecurity-snippet',
    risk: 'critical',
    doc: 'rules of the web application firewall',
    ...ingress,
  }),
  ignored({
    key: 'modsecurity-transaction-id',
    risk: 'high',
    doc: 'transaction id of the web application firewall',
    ...ingress,
  }),
  refusedProtection({ key: 'ssl-ciphers', risk: 'low', doc: 'TLS ciphers of the host', ...ingress }),
  unsupported({
    key: 'ssl-prefer-server-ciphers',
    risk: 'low',
    doc: 'whose order of TLS ciphers counts',
    harmless: text => readBoolean(text) === true,
    allowed: '"true"',
    ...ingress,
  }),
  refusedProtection({
    key: 'custom-headers',
    risk: 'medium',
    doc: 'response header fields, such as those that protect browsers',
  }),

  // How much may come through.
  refusedProtection({ key: 'limit-rps', risk: 'low', doc: 'requests per second of one client', ...zero }),
  refusedProtection({ key: 'limit-rpm', risk: 'low', doc: 'requests per minute of one client', ...zero }),
  refusedProtection({ key: 'limit-connections', risk: 'low', doc: 'connections of one client', ...zero }),
  refusedProtection({ key: 'limit-rate', risk: 'low', doc: 'bandwidth of one response', ...zero }),
  ignored({ key: 'limit-rate-after', risk: 'low', doc: 'bytes before limit-rate begins' }),
  ignored({ key: 'limit-burst-multiplier', risk: 'low', doc: 'burst that limit-rps and limit-rpm allow' }),
  ignored({ key: 'limit-allowlist', risk: 'low', doc: 'networks that the limits leave out' }),
  ignored({ key: 'limit-whitelist', risk: 'low', doc: 'alias of limit-allowlist' }),

  // nginx text. It may hold protections, and nothing here renders text.
  refusedProtection({ key: 'configuration-snippet', risk: 'critical', doc: 'nginx text of the location' }),
  refusedProtection({ key: 'server-snippet', risk: 'critical', doc: 'nginx text of the host', ...ingress }),
  refusedProtection({
    key: 'stream-snippet',
    risk: 'critical',
    doc: 'nginx text of the TCP and UDP proxy',
    ...ingress,
  }),

  // Where requests go. Without it they would reach something else than was meant.
  refused({ key: 'rewrite-target', risk: 'medium', doc: 'path that the backend gets', ...ingress }),
  refused({ key: 'use-regex', risk: 'low', doc: 'paths are regular expressions', ...off }),
  refused({
    key: 'backend-protocol',
    risk: 'low',
    doc: 'protocol of the backend',
    harmless: text => !/^(https|auto_http|grpcs?|fcgi)$/i.test(text),
    allowed: '"HTTP"',
  }),
  refused({ key: 'ssl-passthrough', risk: 'low', doc: 'TLS ends at the backend', ...off, ...ingress }),
  refused({ key: 'permanent-redirect', risk: 'medium', doc: 'answer with a redirect 301' }),
  ignored({ key: 'permanent-redirect-code', risk: 'low', doc: 'status of permanent-redirect' }),
  refused({ key: 'temporal-redirect', risk: 'medium', doc: 'answer with a redirect 302' }),
  ignored({ key: 'temporal-redirect-code', risk: 'low', doc: 'status of temporal-redirect' }),
  skipped({ key: 'canary', risk: 'low', doc: 'a share of the requests of another Ingress', ...off, ...ingress }),
  ignored({ key: 'canary-by-header', risk: 'medium', doc: 'field that chooses the canary', ...ingress }),
  ignored({
    key: 'canary-by-header-value',
    risk: 'medium',
    doc: 'value of the field that chooses the canary',
    ...ingress,
  }),
  ignored({
    key: 'canary-by-header-pattern',
    risk: 'medium',
    doc: 'pattern of the value of the field that chooses the canary',
    ...ingress,
  }),
  ignored({ key: 'canary-by-cookie', risk: 'medium', doc: 'cookie that chooses the canary', ...ingress }),
  ignored({ key: 'canary-weight', risk: 'low', doc: 'share of the canary', ...ingress }),
  ignored({ key: 'canary-weight-total', risk: 'low', doc: 'whole of which canary-weight is a share', ...ingress }),

  // What a client or a backend would notice: served without it.
  unsupported({ key: 'server-alias', risk: 'high', doc: 'more names of the host', ...ingress }),
  unsupported({
    key: 'from-to-www-redirect',
    risk: 'low',
    doc: 'redirect between the name with and without www',
    ...off,
  }),
  unsupported({ key: 'app-root', risk: 'medium', doc: 'redirect of the path /' }),
  unsupported({ key: 'x-forwarded-prefix', risk: 'medium', doc: 'X-Forwarded-Prefix field for the backend' }),
  unsupported({ key: 'relative-redirects', risk: 'low', doc: 'redirects without scheme and host', ...off }),
  unsupported({ key: 'use-port-in-redirects', risk: 'low', doc: 'port in redirects to HTTPS', ...off }),
  unsupported({ key: 'enable-cors', risk: 'low', doc: 'cross-origin requests', ...off, ...ingress }),
  ignored({ key: 'cors-allow-origin', risk: 'medium', doc: 'origins that enable-cors lets in', ...ingress }),
  ignored({ key: 'cors-allow-methods', risk: 'medium', doc: 'methods that enable-cors lets in', ...ingress }),
  ignored({ key: 'cors-allow-headers', risk: 'medium', doc: 'fields that enable-cors lets in', ...ingress }),
  ignored({ key: 'cors-allow-credentials', risk: 'low', doc: 'credentials with enable-cors', ...ingress }),
  ignored({ key: 'cors-expose-headers', risk: 'medium', doc: 'fields that enable-cors shows', ...ingress }),
  ignored({ key: 'cors-max-age', risk: 'low', doc: 'how long a browser keeps an answer of enable-cors', ...ingress }),
  ignored({ key: 'affinity-canary-behavior', risk: 'low', doc: 'affinity with canaries', ...ingress }),
  unsupported({
    key: 'service-upstream',
    risk: 'low',
    doc: 'send to the Service address; traffic goes straight to endpoints',
    ...off,
    ...ingress,
  }),
  unsupported({ key: 'custom-http-errors', risk: 'low', doc: 'error answers by the default backend' }),
  unsupported({ key: 'default-backend', risk: 'low', doc: 'Service that answers when no endpoint is left' }),
  ignored({ key: 'disable-proxy-intercept-errors', risk: 'low', doc: 'opt out of custom-http-errors' }),
  unsupported({ key: 'mirror-target', risk: 'high', doc: 'copy of each request', ...switchOff, ...ingress }),
  ignored({ key: 'mirror-host', risk: 'high', doc: 'Host field of the copy by mirror-target', ...ingress }),
  ignored({ key: 'mirror-request-body', risk: 'low', doc: 'body of the copy by mirror-target', ...ingress }),
  unsupported({ key: 'proxy-cookie-domain', risk: 'medium', doc: 'rewrite the domain of cookies', ...switchOff }),
  unsupported({ key: 'proxy-cookie-path', risk: 'medium', doc: 'rewrite the path of cookies', ...switchOff }),
  unsupported({ key: 'proxy-redirect-from', risk: 'medium', doc: 'rewrite redirects of the backend', ...switchOff }),
  ignored({ key: 'proxy-redirect-to', risk: 'medium', doc: 'what proxy-redirect-from writes' }),
  unsupported({
    key: 'connection-proxy-header',
    risk: 'low',
    doc: 'Connection field for the backend',
    harmless: oneOf('keep-alive'),
    allowed: '"keep-alive"',
  }),
  unsupported({
    key: 'enable-access-log',
    risk: 'low',
    doc: 'access log of the route',
    harmless: text => readBoolean(text) === true,
    allowed: '"true"',
  }),

  // TLS to the backend: backend-protocol HTTPS and GRPCS are refused, and with HTTP these do nothing.
  ignored({ key: 'proxy-ssl-secret', risk: 'medium', doc: 'certificate for the backend', ...ingress }),
  ignored({ key: 'proxy-ssl-verify', risk: 'low', doc: 'check the certificate of the backend', ...ingress }),
  ignored({ key: 'proxy-ssl-verify-depth', risk: 'low', doc: 'longest chain of the backend', ...ingress }),
  ignored({ key: 'proxy-ssl-name', risk: 'high', doc: 'name in the certificate of the backend', ...ingress }),
  ignored({ key: 'proxy-ssl-server-name', risk: 'low', doc: 'server name sent to the backend', ...ingress }),
  ignored({ key: 'proxy-ssl-ciphers', risk: 'medium', doc: 'ciphers for the backend', ...ingress }),
  ignored({ key: 'proxy-ssl-protocols', risk: 'low', doc: 'TLS versions for the backend', ...ingress }),
  ignored({ key: 'fastcgi-index', risk: 'medium', doc: 'with backend-protocol FCGI only, which is refused' }),
  ignored({
    key: 'fastcgi-params-configmap',
    risk: 'medium',
    doc: 'with backend-protocol FCGI only, which is refused',
  }),

  // Memory and inner workings of nginx. Bodies are streamed in both directions.
  ignored({ key: 'proxy-buffering', risk: 'low', doc: 'response buffering' }),
  ignored({ key: 'proxy-buffer-size', risk: 'low', doc: 'buffer of response headers' }),
  ignored({ key: 'proxy-buffers-number', risk: 'low', doc: 'buffers of a response' }),
  ignored({ key: 'proxy-busy-buffers-size', risk: 'low', doc: 'buffers being sent' }),
  ignored({ key: 'proxy-max-temp-file-size', risk: 'low', doc: 'buffer on disk' }),
  ignored({ key: 'proxy-http-version', risk: 'low', doc: 'HTTP version for the backend, always 1.1' }),
  ignored({ key: 'http2-push-preload', risk: 'low', doc: 'HTTP/2 push, which no browser has any more' }),
  ignored({ key: 'enable-rewrite-log', risk: 'low', doc: 'log of nginx rewrites' }),
  ignored({ key: 'enable-opentelemetry', risk: 'low', doc: 'tracing of the route' }),
  ignored({ key: 'opentelemetry-trust-incoming-span', risk: 'low', doc: 'trace of the client goes on' }),
  ignored({ key: 'opentelemetry-operation-name', risk: 'medium', doc: 'name in traces' }),
]
