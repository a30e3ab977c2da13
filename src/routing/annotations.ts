import { type HonouredAnnotation, honoured, type UnhonouredAnnotation } from './annotation-row.ts'
import {
  authorityAllowed,
  booleanAllowed,
  bufferSizeAllowed,
  countAllowed,
  readAuthority,
  readBoolean,
  readBufferSize,
  readCount,
  readRetryConditions,
  readSeconds,
  readSecondsOrNone,
  readSize,
  readSourceRanges,
  readSwitch,
  retryConditionsAllowed,
  secondsAllowed,
  secondsOrNoneAllowed,
  sizeAllowed,
  sourceRangesAllowed,
  switchAllowed,
} from './annotation-values.ts'
import { balancingAnnotations } from './balancing-annotations.ts'
import {
  commonNamesAllowed,
  depthAllowed,
  readCommonNames,
  readDepth,
  readSecretName,
  readVerifyClient,
  secretNameAllowed,
  verifyClientAllowed,
} from './client-certificate-values.ts'
import { unhonouredAnnotations } from './unhonoured-annotations.ts'

/** The annotations that do what they say, by the name of the option that they set: the key, how it is read, its risk and its documentation in one place. */
export const honouredAnnotations = {
  sslRedirect: honoured({
    key: 'ssl-redirect',
    read: readBoolean,
    allowed: booleanAllowed,
    risk: 'low',
    doc: 'redirect plain HTTP to HTTPS where the host has TLS; the setting tlsRedirect (true) when absent',
  }),
  forceSslRedirect: honoured({
    key: 'force-ssl-redirect',
    read: readBoolean,
    allowed: booleanAllowed,
    risk: 'medium',
    doc: 'redirect plain HTTP to HTTPS even where the host has no TLS of its own; false when absent',
  }),
  preserveTrailingSlash: honoured({
    key: 'preserve-trailing-slash',
    read: readBoolean,
    allowed: booleanAllowed,
    risk: 'medium',
    doc: 'keep a trailing slash of the request in the redirect to HTTPS; false when absent',
  }),
  connectTimeoutMs: honoured({
    key: 'proxy-connect-timeout',
    read: readSeconds,
    allowed: secondsAllowed,
    risk: 'low',
    doc: 'longest time to connect to an endpoint; the setting timeouts.connectSeconds (5) when absent',
  }),
  readTimeoutMs: honoured({
    key: 'proxy-read-timeout',
    read: readSeconds,
    allowed: secondsAllowed,
    risk: 'low',
    doc: 'longest wait for the next byte of an endpoint, WebSockets included; the setting timeouts.readSeconds (60) when absent',
  }),
  sendTimeoutMs: honoured({
    key: 'proxy-send-timeout',
    read: readSeconds,
    allowed: secondsAllowed,
    risk: 'low',
    doc: 'longest wait for an endpoint to take the next byte; the setting timeouts.sendSeconds (60) when absent',
  }),
  maxBodyBytes: honoured({
    key: 'proxy-body-size',
    read: readSize,
    allowed: sizeAllowed,
    risk: 'medium',
    doc: 'longest request body, over it the answer is 413; the setting limits.maxBodyBytes (1m) when absent',
  }),
  allowSourceRanges: honoured({
    key: 'allowlist-source-range',
    aliases: ['whitelist-source-range'],
    read: readSourceRanges,
    allowed: sourceRangesAllowed,
    risk: 'medium',
    security: true,
    onInvalid: 'refuse',
    doc: 'client networks that are let in, others get 403; all of them when absent',
  }),
  denySourceRanges: honoured({
    key: 'denylist-source-range',
    read: readSourceRanges,
    allowed: sourceRangesAllowed,
    risk: 'medium',
    security: true,
    onInvalid: 'refuse',
    doc: 'client networks that get 403, also when the allow list has them',
  }),
  authTlsSecret: honoured({
    key: 'auth-tls-secret',
    read: readSecretName,
    allowed: secretNameAllowed,
    scope: 'ingress',
    risk: 'medium',
    security: true,
    onInvalid: 'refuse',
    doc: 'Secret of the same namespace with the authorities of client certificates in ca.crt, each one up to a self-signed one, and revocation lists in ca.crl; clients of the hosts are asked for certificates',
  }),
  authTlsVerifyClient: honoured({
    key: 'auth-tls-verify-client',
    read: readVerifyClient,
    allowed: verifyClientAllowed,
    scope: 'ingress',
    risk: 'medium',
    security: true,
    onInvalid: 'refuse',
    doc: 'who gets 400: with on clients without a valid certificate, with optional those with an invalid one, with optional_no_ca not those of an unknown authority; on when absent',
  }),
  authTlsVerifyDepth: honoured({
    key: 'auth-tls-verify-depth',
    read: readDepth,
    allowed: depthAllowed,
    scope: 'ingress',
    risk: 'low',
    security: true,
    onInvalid: 'refuse',
    doc: 'most authorities between a client certificate and a self-signed one; 1 when absent',
  }),
  authTlsPassCertificate: honoured({
    key: 'auth-tls-pass-certificate-to-upstream',
    read: readBoolean,
    allowed: booleanAllowed,
    scope: 'ingress',
    risk: 'low',
    security: true,
    onInvalid: 'refuse',
    doc: 'give the backend the client certificate in ssl-client-cert; false when absent',
  }),
  authTlsMatchCn: honoured({
    key: 'auth-tls-match-cn',
    read: readCommonNames,
    allowed: commonNamesAllowed,
    scope: 'ingress',
    risk: 'high',
    security: true,
    onInvalid: 'refuse',
    doc: 'common names of client certificates that are let in, as a whole, others get 403; all of them when absent',
  }),
  upstreamTries: honoured({
    key: 'proxy-next-upstream-tries',
    read: readCount,
    allowed: countAllowed,
    risk: 'low',
    doc: 'most endpoints that are tried for one request, 0 for no limit of its own; 3 when absent',
  }),
  retryOn: honoured({
    key: 'proxy-next-upstream',
    read: readRetryConditions,
    allowed: retryConditionsAllowed,
    risk: 'medium',
    doc: 'failures after which another endpoint is tried; when absent, only those after which that can do no harm',
  }),
  retryWithinMs: honoured({
    key: 'proxy-next-upstream-timeout',
    read: readSecondsOrNone,
    allowed: secondsOrNoneAllowed,
    risk: 'low',
    doc: 'no other endpoint is tried later than this after the first one; the connect and the read timeout together when absent or 0',
  }),
  requestBuffering: honoured({
    key: 'proxy-request-buffering',
    read: readSwitch,
    allowed: switchAllowed,
    risk: 'low',
    doc: 'read a request body whole before an endpoint is asked; the setting requestBuffering (off) when absent',
  }),
  maxBufferedBodyBytes: honoured({
    key: 'client-body-buffer-size',
    read: readBufferSize,
    allowed: bufferSizeAllowed,
    risk: 'low',
    doc: 'most bytes of a body that are held with proxy-request-buffering, a longer one is passed on as it comes; the setting limits.maxBufferedBodyBytes (1m) when absent',
  }),
  upstreamVhost: honoured({
    key: 'upstream-vhost',
    read: readAuthority,
    allowed: authorityAllowed,
    risk: 'low',
    onInvalid: 'refuse',
    doc: 'Host header field sent to endpoints; that of the client when absent',
  }),
  ...balancingAnnotations,
} as const

type ReadAs<Row> = Row extends HonouredAnnotation<infer T> ? T : never

/** What the annotations of one Ingress ask for; an option that is absent has its default. */
export type AnnotationOptions = {
  readonly [K in keyof typeof honouredAnnotations]?: ReadAs<(typeof honouredAnnotations)[K]>
}

/** Options of whole hosts: they are in `Host`, not in its routes. */
export type HostOption =
  | 'authTlsSecret'
  | 'authTlsVerifyClient'
  | 'authTlsVerifyDepth'
  | 'authTlsPassCertificate'
  | 'authTlsMatchCn'

/** How a route is served beside where it leads; an option that is absent is that of the settings. */
export interface RouteOptions extends Omit<AnnotationOptions, 'sslRedirect' | 'forceSslRedirect' | HostOption> {
  /** Redirect plain HTTP to HTTPS, or not; absent, `settings.tlsRedirect` decides on hosts with `tls`. See `plain-http.ts`. */
  readonly tlsRedirect?: boolean
  /** Answer plain HTTP with 503: the host's certificate can't be used, and its Ingress forbids the redirect. */
  readonly clearTextRefusal?: true
}

export type Annotation = HonouredAnnotation<unknown> | UnhonouredAnnotation

/** Every annotation of ingress-nginx, once, in order of its key. */
export const annotations: readonly Annotation[] = [
  ...Object.values(honouredAnnotations),
  ...unhonouredAnnotations,
].sort((one, other) => (one.key < other.key ? -1 : 1))
