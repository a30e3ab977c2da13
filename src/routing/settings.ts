import type { IngressDeployment } from '../api/ingressdeployment.ts'
import type { ObjectReference, Problem } from '../api/problem.ts'
import type { ProxySettings } from '../api/settings.ts'
import { resolveTlsProfile, tlsFault } from '../api/tls-profile.ts'
import { ineffectiveConfigMapKeys, unprotectedConfigMapKeys } from './configmap-keys.ts'
import { configMapSettings, type SettingValues } from './configmap-settings.ts'
import { defaultSettings } from './default-settings.ts'

export type Configuration = IngressDeployment['spec']['configuration']

/**
 * Effective settings of a proxy: a typed field wins over the ConfigMap key of ingress-nginx, which wins over the
 * default. Keys without effect, and values that can't be read, become problems of `subject`; the others apply.
 */
export function resolveSettings(
  configuration: Partial<Configuration> | undefined,
  ingressNginx: Readonly<Record<string, string>>,
  subject: ObjectReference,
): { readonly settings: ProxySettings; readonly problems: readonly Problem[] } {
  const { values, problems } = readConfigMap(ingressNginx, subject)
  const settings = merge({ ...values, ...typedValues(configuration) })
  const fault = tlsFault(settings.tls)
  if (fault === undefined) return { settings, problems }
  // Typed fields alone have been through the rules of the CRD.
  const message = `ssl-protocols and ssl-ciphers can't be used together and the profile Intermediate applies: ${fault}`
  problems.push({ object: subject, field: fieldOf(subject, 'ssl-protocols'), reason: 'InvalidSetting', message })
  return { settings: { ...settings, tls: defaultSettings.tls }, problems }
}

function readConfigMap(
  texts: Readonly<Record<string, string>>,
  object: ObjectReference,
): { values: SettingValues; problems: Problem[] } {
  const problems: Problem[] = []
  const report = (key: string, problem: Pick<Problem, 'reason' | 'message'>): void => {
    problems.push({ object, field: fieldOf(object, key), ...problem })
  }
  const own = new Map(Object.entries(texts).map(([key, text]) => [key, text.trim()]))
  let values: SettingValues = {}
  for (const [key, row] of configMapSettings) {
    const text = own.get(key) ?? ''
    own.delete(key)
    const read = text === '' ? {} : row.read(text)
    values = { ...values, ...read }
    if (read === undefined) report(key, unreadable(key, row.allowed))
  }
  for (const [key, text] of [...own].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const problem = withoutRow(key, text)
    if (problem !== undefined) report(key, problem)
  }
  return { values, problems }
}

function fieldOf(object: ObjectReference, key: string): string {
  return object.kind === 'ConfigMap' ? `data[${key}]` : `spec.configuration.ingressNginx[${key}]`
}

function unreadable(key: string, allowed: string): Pick<Problem, 'reason' | 'message'> {
  return {
    reason: 'InvalidSetting',
    message: `setting ${key} can't be read and its default applies: it must be ${allowed}`,
  }
}

function withoutRow(key: string, text: string): Pick<Problem, 'reason' | 'message'> | undefined {
  const unprotected = unprotectedConfigMapKeys.get(key)
  if (unprotected?.harmless(text) === true || (unprotected !== undefined && text === '')) return undefined
  if (unprotected !== undefined) {
    const message = `setting ${key} (${unprotected.doc}) protects requests in ingress-nginx and is not supported: no route is protected by it; ${unprotected.instead}, and remove it`
    return { reason: 'UnsupportedProtection', message }
  }
  if (ineffectiveConfigMapKeys.has(key)) {
    return { reason: 'SettingWithoutEffect', message: `setting ${key} of ingress-nginx has no effect here: remove it` }
  }
  return {
    reason: 'UnknownSetting',
    message: `setting ${key} is not known and has no effect: correct its name or remove it`,
  }
}

function typedValues(configuration: Partial<Configuration> | undefined): SettingValues {
  const { timeouts, limits, upstreamKeepAlive: upstream, loadBalance } = configuration ?? {}
  const values: { readonly [K in keyof SettingValues]: SettingValues[K] | undefined } = {
    workers: configuration?.workers,
    accessLog: configuration?.accessLog,
    trustForwardedHeaders: configuration?.trustForwardedHeaders,
    tlsRedirect: configuration?.tlsRedirect,
    redirectStatus: configuration?.redirectStatus,
    clientHeadMs: milliseconds(timeouts?.clientHeadSeconds),
    clientBodyMs: milliseconds(timeouts?.clientBodySeconds),
    slowClientGraceMs: milliseconds(timeouts?.slowClientGraceSeconds),
    keepAliveMs: milliseconds(timeouts?.keepAliveSeconds),
    connectMs: milliseconds(timeouts?.connectSeconds),
    readMs: milliseconds(timeouts?.readSeconds),
    sendMs: milliseconds(timeouts?.sendSeconds),
    tunnelDrainMs: milliseconds(timeouts?.tunnelDrainSeconds),
    maxBodyBytes: limits?.maxBodyBytes,
    maxRequestLineBytes: limits?.maxRequestLineBytes,
    maxHeaderBytes: limits?.maxHeaderBytes,
    maxHeaderCount: limits?.maxHeaderCount,
    maxConnections: limits?.maxConnections,
    maxConnectionsPerAddress: limits?.maxConnectionsPerAddress,
    maxHandshakes: limits?.maxHandshakes,
    maxRequestsPerConnection: limits?.maxRequestsPerConnection,
    maxBufferedBodyBytes: limits?.maxBufferedBodyBytes,
    requestBuffering: configuration?.requestBuffering,
    minHeadBytesPerSecond: limits?.minHeadBytesPerSecond,
    minBodyBytesPerSecond: limits?.minBodyBytesPerSecond,
    maxMemoryBytes: limits?.maxMemoryBytes,
    tls: configuration?.tls === undefined ? undefined : resolveTlsProfile(configuration.tls),
    maxIdlePerEndpoint: upstream?.maxIdlePerEndpoint,
    upstreamIdleMs: milliseconds(upstream?.idleSeconds),
    maxRequestsPerUpstreamConnection: upstream?.maxRequestsPerConnection,
    upstreamLifetimeMs: milliseconds(upstream?.maxLifetimeSeconds),
    algorithm: loadBalance?.algorithm,
    slowStartMs: milliseconds(loadBalance?.slowStartSeconds),
  }
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000
}

function merge(values: SettingValues): ProxySettings {
  const { timeouts, limits, upstreamKeepAlive: upstream, loadBalance, retries } = defaultSettings
  return {
    workers: values.workers ?? defaultSettings.workers,
    accessLog: values.accessLog ?? defaultSettings.accessLog,
    timeouts: {
      clientHeadMs: values.clientHeadMs ?? timeouts.clientHeadMs,
      clientBodyMs: values.clientBodyMs ?? timeouts.clientBodyMs,
      slowClientGraceMs: values.slowClientGraceMs ?? timeouts.slowClientGraceMs,
      keepAliveMs: values.keepAliveMs ?? timeouts.keepAliveMs,
      connectMs: values.connectMs ?? timeouts.connectMs,
      readMs: values.readMs ?? timeouts.readMs,
      sendMs: values.sendMs ?? timeouts.sendMs,
      drainMs: values.drainMs ?? timeouts.drainMs,
      tunnelDrainMs: values.tunnelDrainMs ?? timeouts.tunnelDrainMs,
    },
    limits: {
      maxBodyBytes: values.maxBodyBytes ?? limits.maxBodyBytes,
      maxRequestLineBytes: values.maxRequestLineBytes ?? limits.maxRequestLineBytes,
      maxHeaderBytes: values.maxHeaderBytes ?? limits.maxHeaderBytes,
      maxHeaderCount: values.maxHeaderCount ?? limits.maxHeaderCount,
      maxConnections: values.maxConnections ?? limits.maxConnections,
      maxConnectionsPerAddress: values.maxConnectionsPerAddress ?? limits.maxConnectionsPerAddress,
      maxHandshakes: values.maxHandshakes ?? limits.maxHandshakes,
      maxRequestsPerConnection: values.maxRequestsPerConnection ?? limits.maxRequestsPerConnection,
      maxBufferedBodyBytes: values.maxBufferedBodyBytes ?? limits.maxBufferedBodyBytes,
      minHeadBytesPerSecond: values.minHeadBytesPerSecond ?? limits.minHeadBytesPerSecond,
      minBodyBytesPerSecond: values.minBodyBytesPerSecond ?? limits.minBodyBytesPerSecond,
      maxMemoryBytes: values.maxMemoryBytes ?? limits.maxMemoryBytes,
    },
    upstreamKeepAlive: {
      maxIdlePerEndpoint: values.maxIdlePerEndpoint ?? upstream.maxIdlePerEndpoint,
      idleMs: values.upstreamIdleMs ?? upstream.idleMs,
      maxRequestsPerConnection: values.maxRequestsPerUpstreamConnection ?? upstream.maxRequestsPerConnection,
      maxLifetimeMs: values.upstreamLifetimeMs ?? upstream.maxLifetimeMs,
    },
    requestBuffering: values.requestBuffering ?? defaultSettings.requestBuffering,
    retries: {
      on: values.retryOn ?? retries.on,
      nonIdempotent: values.retryNonIdempotent ?? retries.nonIdempotent,
      attempts: values.retryAttempts ?? retries.attempts,
      withinMs: values.retryWithinMs ?? retries.withinMs,
    },
    loadBalance: {
      algorithm: values.algorithm ?? loadBalance.algorithm,
      slowStartMs: values.slowStartMs ?? loadBalance.slowStartMs,
    },
    tls: values.tls ?? { ...defaultSettings.tls, ...values.tlsVersions, ...values.tlsSuites, ...values.tlsCurves },
    trustForwardedHeaders: values.trustForwardedHeaders ?? defaultSettings.trustForwardedHeaders,
    tlsRedirect: values.tlsRedirect ?? defaultSettings.tlsRedirect,
    redirectStatus: values.redirectStatus ?? defaultSettings.redirectStatus,
  }
}
