import { isFalse, oneOf, readBoolean } from './annotation-values.ts'

interface UnprotectedKey {
  readonly doc: string
  /** What to do about it. */
  readonly instead: string
  /** Values with which it protects nothing in ingress-nginx either. */
  readonly harmless: (text: string) => boolean
}

const networkPolicy =
  'confine clients by spec.service.loadBalancerSourceRanges or per Ingress by allowlist-source-range'
const perService = 'let the backends decide, or keep them out of this class'
const nothing = (): boolean => false

/** Keys of the ingress-nginx ConfigMap that protect requests there and do not here: they must not go by in silence. */
export const unprotectedConfigMapKeys: ReadonlyMap<string, UnprotectedKey> = new Map<string, UnprotectedKey>([
  ['whitelist-source-range', { doc: 'client networks that are let in', instead: networkPolicy, harmless: nothing }],
  ['allowlist-source-range', { doc: 'client networks that are let in', instead: networkPolicy, harmless: nothing }],
  ['denylist-source-range', { doc: 'client networks that are kept out', instead: networkPolicy, harmless: nothing }],
  ['block-cidrs', { doc: 'client networks that are kept out', instead: networkPolicy, harmless: nothing }],
  ['block-user-agents', { doc: 'clients that are kept out', instead: perService, harmless: nothing }],
  ['block-referers', { doc: 'referring pages that are kept out', instead: perService, harmless: nothing }],
  [
    'global-auth-url',
    { doc: 'external service that decides on every request', instead: perService, harmless: nothing },
  ],
  ['global-auth-snippet', { doc: 'nginx text of the external authentication', instead: perService, harmless: nothing }],
  ['enable-modsecurity', { doc: 'web application firewall', instead: perService, harmless: isFalse }],
  ['enable-owasp-modsecurity-crs', { doc: 'web application firewall', instead: perService, harmless: isFalse }],
  ['modsecurity-snippet', { doc: 'web application firewall', instead: perService, harmless: nothing }],
  [
    'annotation-value-word-blocklist',
    {
      doc: 'words that annotations must not have',
      instead: 'no nginx text is made of annotations here',
      harmless: nothing,
    },
  ],
  [
    'force-ssl-redirect',
    {
      doc: 'redirect to HTTPS on hosts without TLS',
      instead: 'set the annotation force-ssl-redirect on the Ingresses',
      harmless: isFalse,
    },
  ],
  ['hsts', { doc: 'Strict-Transport-Security field', instead: 'let the backends send it', harmless: isFalse }],
  ['add-headers', { doc: 'response header fields', instead: 'let the backends send them', harmless: nothing }],
  [
    'hide-headers',
    {
      doc: 'response header fields that are taken away',
      instead: 'let the backends leave them out',
      harmless: nothing,
    },
  ],
  [
    'ssl-reject-handshake',
    { doc: 'refuse unknown server names', instead: 'unknown names get the default certificate', harmless: isFalse },
  ],
  [
    'use-proxy-protocol',
    { doc: 'client address of the PROXY protocol', instead: 'switch it off on the load balancer', harmless: isFalse },
  ],
  ['limit-rate', { doc: 'bandwidth of one response', instead: perService, harmless: oneOf('0') }],
  ['main-snippet', { doc: 'nginx text', instead: 'use typed settings', harmless: nothing }],
  ['http-snippet', { doc: 'nginx text', instead: 'use typed settings', harmless: nothing }],
  ['server-snippet', { doc: 'nginx text', instead: 'use typed settings', harmless: nothing }],
  ['location-snippet', { doc: 'nginx text', instead: 'use typed settings', harmless: nothing }],
  ['stream-snippet', { doc: 'nginx text', instead: 'use typed settings', harmless: nothing }],
  [
    'enable-underscores-in-headers',
    { doc: 'fields with underscores in their names', instead: 'they are left out', harmless: isFalse },
  ],
  [
    'ignore-invalid-headers',
    {
      doc: 'fields with invalid names',
      instead: 'requests with such fields are refused',
      harmless: text => readBoolean(text) === true,
    },
  ],
])

/** Known keys of the ingress-nginx ConfigMap that have no effect here and protect nothing. */
export const ineffectiveConfigMapKeys: ReadonlySet<string> = new Set(
  `access-log-params access-log-path allow-backend-server-header allow-cross-namespace-resources
  allow-snippet-annotations annotations-risk-level bind-address brotli-level brotli-min-length brotli-types
  client-header-buffer-size compute-full-forwarded-for custom-http-errors
  datadog-collector-host datadog-collector-port datadog-environment datadog-operation-name-override
  datadog-priority-sampling datadog-sample-rate datadog-service-name debug-connections default-type
  disable-ipv6 disable-ipv6-dns disable-proxy-intercept-errors disable-stream-access-log
  enable-access-log-for-default-backend enable-aio-write enable-auth-access-log enable-brotli enable-multi-accept
  enable-ocsp enable-opentelemetry enable-opentracing enable-real-ip enable-syslog error-log-level error-log-path
  forwarded-for-header forwarded-for-proxy-protocol-header generate-request-id geoip2-autoreload-in-minutes
  global-allowed-response-headers global-auth-always-set-cookie global-auth-cache-duration global-auth-cache-key
  global-auth-method global-auth-request-redirect global-auth-response-headers global-auth-signin
  global-auth-signin-redirect-param global-rate-limit-memcached-connect-timeout global-rate-limit-memcached-host
  global-rate-limit-memcached-max-idle-timeout global-rate-limit-memcached-pool-size
  global-rate-limit-memcached-port global-rate-limit-status-code grpc-buffer-size-kb gzip-disable gzip-level
  gzip-min-length gzip-types hsts-include-subdomains hsts-max-age hsts-preload http-access-log-path
  http2-max-concurrent-streams http2-max-field-size http2-max-header-size http2-max-requests http2-push-preload
  jaeger-collector-host jaeger-collector-port jaeger-endpoint jaeger-service-name limit-conn-status-code
  limit-conn-zone-variable limit-rate-after limit-req-status-code log-format-escape-none
  log-format-stream log-format-upstream lua-shared-dicts map-hash-bucket-size max-worker-open-files
  nginx-status-ipv4-whitelist nginx-status-ipv6-whitelist no-auth-locations no-tls-redirect-locations
  opentelemetry-config opentelemetry-operation-name opentelemetry-trust-incoming-span otel-max-export-batch-size
  otel-max-queuesize otel-sampler otel-sampler-parent-based otel-sampler-ratio otel-schedule-delay-millis
  otel-service-name otlp-collector-host otlp-collector-port plugins proxy-add-original-uri-header proxy-buffer-size
  proxy-buffering proxy-buffers-number proxy-busy-buffers-size proxy-cookie-domain proxy-cookie-path
  proxy-headers-hash-bucket-size proxy-headers-hash-max-size proxy-http-version proxy-max-temp-file-size
  proxy-protocol-header-timeout
  proxy-real-ip-cidr proxy-redirect-from proxy-redirect-to proxy-set-headers
  proxy-ssl-location-only proxy-stream-next-upstream proxy-stream-next-upstream-timeout
  proxy-stream-next-upstream-tries proxy-stream-responses proxy-stream-timeout relative-redirects
  reuse-port server-name-hash-bucket-size server-name-hash-max-size server-tokens
  service-upstream skip-access-log-urls ssl-buffer-size ssl-dh-param ssl-early-data
  ssl-session-cache ssl-session-cache-size ssl-session-ticket-key ssl-session-tickets ssl-session-timeout
  stream-access-log-path strict-validate-path-type syslog-host syslog-port tcp-services udp-services
  use-geoip use-geoip2 use-gzip use-http2 use-port-in-redirects variables-hash-bucket-size
  variables-hash-max-size worker-cpu-affinity worker-serial-reloads zipkin-collector-host zipkin-collector-port
  zipkin-sample-rate zipkin-service-name`.split(/\s+/),
)
