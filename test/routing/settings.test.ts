import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { tlsProfiles } from '../../src/api/tls-profile.ts'
import { ineffectiveConfigMapKeys, unprotectedConfigMapKeys } from '../../src/routing/configmap-keys.ts'
import { configMapSettings } from '../../src/routing/configmap-settings.ts'
import { defaultSettings } from '../../src/routing/default-settings.ts'
import { resolveSettings } from '../../src/routing/settings.ts'

const subject = {
  apiVersion: 'ingressfleet.dev/v1alpha1',
  kind: 'IngressDeployment',
  namespace: 'shop',
  name: 'public',
}
const resolve = (ingressNginx: Record<string, string>): ReturnType<typeof resolveSettings> =>
  resolveSettings(undefined, ingressNginx, subject)

describe('defaults', () => {
  test('apply where nothing is said', () => {
    expect(resolveSettings(undefined, {}, subject)).toEqual({ settings: defaultSettings, problems: [] })
    expect(resolveSettings({}, {}, subject).settings).toEqual(defaultSettings)
  })

  test('are those that the descriptions of the CRD give', () => {
    const crd = readFileSync(new URL('../../crds/ingressdeployment.yaml', import.meta.url), 'utf8')
    const { timeouts, limits, upstreamKeepAlive, loadBalance } = defaultSettings
    const documented: Record<string, number> = {
      clientHeadSeconds: timeouts.clientHeadMs / 1000,
      clientBodySeconds: timeouts.clientBodyMs / 1000,
      slowClientGraceSeconds: timeouts.slowClientGraceMs / 1000,
      keepAliveSeconds: timeouts.keepAliveMs / 1000,
      connectSeconds: timeouts.connectMs / 1000,
      readSeconds: timeouts.readMs / 1000,
      sendSeconds: timeouts.sendMs / 1000,
      maxBodyBytes: limits.maxBodyBytes,
      maxRequestLineBytes: limits.maxRequestLineBytes,
      maxHeaderBytes: limits.maxHeaderBytes,
      maxHeaderCount: limits.maxHeaderCount,
      maxConnections: limits.maxConnections,
      maxConnectionsPerAddress: limits.maxConnectionsPerAddress,
      minHeadBytesPerSecond: limits.minHeadBytesPerSecond,
      minBodyBytesPerSecond: limits.minBodyBytesPerSecond,
      maxMemoryBytes: limits.maxMemoryBytes,
      maxRequestsPerConnection: limits.maxRequestsPerConnection,
      maxIdlePerEndpoint: upstreamKeepAlive.maxIdlePerEndpoint,
      idleSeconds: upstreamKeepAlive.idleMs / 1000,
      maxLifetimeSeconds: upstreamKeepAlive.maxLifetimeMs / 1000,
      tunnelDrainSeconds: timeouts.tunnelDrainMs / 1000,
      maxBufferedBodyBytes: limits.maxBufferedBodyBytes,
      slowStartSeconds: loadBalance.slowStartMs / 1000,
      redirectStatus: defaultSettings.redirectStatus,
    }
    const described = Object.keys(documented).map(field => {
      const text = new RegExp(
        `\\b${field}:\\n(?:.*\\n){1,2}.*?description: (?:>-\\n)?[^:]*?(\\d+) when\\s+absent`,
      ).exec(crd)
      return [field, Number(text?.[1])]
    })
    expect(Object.fromEntries(described)).toEqual(documented)
  })
})

describe('typed fields', () => {
  test('win over the ConfigMap keys, which win over the defaults', () => {
    const { settings, problems } = resolveSettings(
      { timeouts: { readSeconds: 7 }, accessLog: 'text', tlsRedirect: false },
      { 'proxy-read-timeout': '30', 'proxy-send-timeout': '40', 'disable-access-log': 'true', 'ssl-redirect': 'true' },
      subject,
    )
    expect(problems).toEqual([])
    expect(settings).toEqual({
      ...defaultSettings,
      accessLog: 'text',
      tlsRedirect: false,
      timeouts: { ...defaultSettings.timeouts, readMs: 7000, sendMs: 40_000 },
    })
  })

  test('set each setting', () => {
    const { settings } = resolveSettings(
      {
        workers: 3,
        accessLog: 'off',
        trustForwardedHeaders: true,
        redirectStatus: 302,
        timeouts: {
          clientHeadSeconds: 1,
          clientBodySeconds: 2,
          slowClientGraceSeconds: 7,
          keepAliveSeconds: 3,
          connectSeconds: 4,
          readSeconds: 5,
          sendSeconds: 6,
          tunnelDrainSeconds: 0,
        },
        limits: {
          maxBodyBytes: 0,
          maxRequestLineBytes: 2000,
          maxHeaderBytes: 3000,
          maxHeaderCount: 11,
          maxConnections: 12,
          maxConnectionsPerAddress: 13,
          maxHandshakes: 13,
          maxRequestsPerConnection: 0,
          maxBufferedBodyBytes: 13,
          minHeadBytesPerSecond: 14,
          minBodyBytesPerSecond: 0,
          maxMemoryBytes: 15,
        },
        upstreamKeepAlive: {
          maxIdlePerEndpoint: 0,
          idleSeconds: 9,
          maxRequestsPerConnection: 8,
          maxLifetimeSeconds: 14,
        },
        loadBalance: { algorithm: 'least_requests', slowStartSeconds: 30 },
        requestBuffering: true,
        tls: { profile: 'Custom', minVersion: 'TLSv1.3', curves: ['P-256'] },
      },
      {},
      subject,
    )
    expect(settings).toEqual({
      workers: 3,
      accessLog: 'off',
      timeouts: {
        clientHeadMs: 1000,
        clientBodyMs: 2000,
        slowClientGraceMs: 7000,
        keepAliveMs: 3000,
        connectMs: 4000,
        readMs: 5000,
        sendMs: 6000,
        drainMs: 240_000,
        tunnelDrainMs: 0,
      },
      limits: {
        maxBodyBytes: 0,
        maxRequestLineBytes: 2000,
        maxHeaderBytes: 3000,
        maxHeaderCount: 11,
        maxConnections: 12,
        maxConnectionsPerAddress: 13,
        maxHandshakes: 13,
        maxRequestsPerConnection: 0,
        maxBufferedBodyBytes: 13,
        minHeadBytesPerSecond: 14,
        minBodyBytesPerSecond: 0,
        maxMemoryBytes: 15,
      },
      upstreamKeepAlive: { maxIdlePerEndpoint: 0, idleMs: 9000, maxRequestsPerConnection: 8, maxLifetimeMs: 14_000 },
      loadBalance: { algorithm: 'least_requests', slowStartMs: 30_000 },
      requestBuffering: true,
      retries: defaultSettings.retries,
      tls: { ...tlsProfiles.Intermediate, minVersion: 'TLSv1.3', curves: ['P-256'] },
      trustForwardedHeaders: true,
      tlsRedirect: true,
      redirectStatus: 302,
    })
  })
})

describe('keys of the ingress-nginx ConfigMap', () => {
  test.each([
    ['proxy-connect-timeout', '9', { timeouts: { connectMs: 9000 } }],
    ['proxy-read-timeout', '9', { timeouts: { readMs: 9000 } }],
    ['proxy-send-timeout', '9', { timeouts: { sendMs: 9000 } }],
    ['client-header-timeout', '9', { timeouts: { clientHeadMs: 9000 } }],
    ['client-body-timeout', '9', { timeouts: { clientBodyMs: 9000 } }],
    ['keep-alive', '9', { timeouts: { keepAliveMs: 9000 } }],
    ['worker-shutdown-timeout', '30s', { timeouts: { drainMs: 30_000 } }],
    ['worker-shutdown-timeout', '2m', { timeouts: { drainMs: 120_000 } }],
    ['proxy-body-size', '20m', { limits: { maxBodyBytes: 20 * 1024 * 1024 } }],
    ['keep-alive-requests', '7', { limits: { maxRequestsPerConnection: 7 } }],
    ['max-worker-connections', '512', { limits: { maxConnections: 512 } }],
    ['large-client-header-buffers', '4 16k', { limits: { maxRequestLineBytes: 16_384, maxHeaderBytes: 65_536 } }],
    ['large-client-header-buffers', '8 64k', { limits: { maxRequestLineBytes: 65_536, maxHeaderBytes: 65_536 } }],
    ['upstream-keepalive-connections', '7', { upstreamKeepAlive: { maxIdlePerEndpoint: 7 } }],
    ['upstream-keepalive-timeout', '7', { upstreamKeepAlive: { idleMs: 7000 } }],
    ['upstream-keepalive-requests', '7', { upstreamKeepAlive: { maxRequestsPerConnection: 7 } }],
    ['upstream-keepalive-time', '1h', { upstreamKeepAlive: { maxLifetimeMs: 3_600_000 } }],
    ['proxy-request-buffering', 'on', { requestBuffering: true }],
    ['client-body-buffer-size', '64k', { limits: { maxBufferedBodyBytes: 65_536 } }],
    ['client-body-buffer-size', '9g', { limits: { maxBufferedBodyBytes: 67_108_864 } }],
    ['proxy-next-upstream', 'error  http_502', { retries: { on: ['error', 'http_502'] } }],
    ['proxy-next-upstream-tries', '2', { retries: { attempts: 2 } }],
    ['proxy-next-upstream-timeout', '4', { retries: { withinMs: 4000 } }],
    ['retry-non-idempotent', 'true', { retries: { nonIdempotent: true } }],
    ['load-balance', 'ewma', { loadBalance: { algorithm: 'ewma' } }],
    ['use-forwarded-headers', 'true', { trustForwardedHeaders: true }],
    ['ssl-protocols', 'TLSv1.3', { tls: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } }],
    ['ssl-protocols', 'TLSv1.3 TLSv1.2', { tls: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } }],
    [
      'ssl-ciphers',
      'ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0',
      { tls: { cipherSuites: [...tlsProfiles.Modern.cipherSuites, 'ECDHE-RSA-AES128-GCM-SHA256'] } },
    ],
    ['ssl-ecdh-curve', 'X25519:prime256v1', { tls: { curves: ['X25519', 'P-256'] } }],
    ['ssl-ecdh-curve', 'auto', { tls: { curves: tlsProfiles.Intermediate.curves } }],
    ['ssl-redirect', 'false', { tlsRedirect: false }],
    ['http-redirect-code', '301', { redirectStatus: 301 }],
    ['worker-processes', '4', { workers: 4 }],
    ['worker-processes', 'auto', { workers: 'auto' }],
    ['log-format-escape-json', 'true', { accessLog: 'json' }],
    ['disable-access-log', 'true', { accessLog: 'off' }],
    ['disable-http-access-log', 'true', { accessLog: 'off' }],
  ])('%s: %j', (key, text, expected) => {
    const { settings, problems } = resolve({ [key]: text })
    expect(problems).toEqual([])
    expect(settings).toMatchObject(expected)
  })

  test('TLS versions without a suite for the lowest are told of, and the profile Intermediate applies', () => {
    const { settings, problems } = resolve({ 'ssl-protocols': 'TLSv1 TLSv1.1 TLSv1.2' })
    expect(settings.tls).toEqual(tlsProfiles.Intermediate)
    expect(problems).toMatchObject([
      { field: 'spec.configuration.ingressNginx[ssl-protocols]', reason: 'InvalidSetting' },
    ])
    expect(resolve({ 'ssl-protocols': 'TLSv1', 'ssl-ciphers': 'ECDHE-RSA-AES128-SHA' })).toMatchObject({
      settings: { tls: { minVersion: 'TLSv1', maxVersion: 'TLSv1' } },
      problems: [],
    })
  })

  test('the profile of the typed field says all of TLS', () => {
    const { settings } = resolveSettings({ tls: { profile: 'Modern' } }, { 'ssl-ecdh-curve': 'P-521' }, subject)
    expect(settings.tls).toEqual(tlsProfiles.Modern)
  })

  test('no access log wins over its format', () => {
    expect(resolve({ 'log-format-escape-json': 'true', 'disable-access-log': 'true' }).settings.accessLog).toBe('off')
  })

  test.each([
    ['proxy-read-timeout', '30s'],
    ['http-redirect-code', '303'],
    ['worker-processes', '0'],
    ['large-client-header-buffers', '8k'],
    ['use-forwarded-headers', 'yes'],
    ['worker-shutdown-timeout', 'soon'],
    ['keep-alive-requests', '0'],
    ['proxy-request-buffering', 'true'],
    ['client-body-buffer-size', '0'],
    ['proxy-next-upstream', 'error sometimes'],
    ['load-balance', 'least_conn'],
    ['ssl-protocols', 'SSLv3 TLSv1.2'],
    ['ssl-protocols', 'TLSv1.1 TLSv1.3'],
    ['ssl-ciphers', 'HIGH:!aNULL'],
    ['ssl-ciphers', 'DHE-RSA-AES128-GCM-SHA256'],
    ['ssl-ecdh-curve', 'secp192r1'],
  ])('%s: %j is told of with what is allowed, and the others apply', (key, text) => {
    const { settings, problems } = resolve({ [key]: text, 'proxy-send-timeout': '9' })
    expect(settings).toEqual({ ...defaultSettings, timeouts: { ...defaultSettings.timeouts, sendMs: 9000 } })
    expect(problems).toMatchObject([
      { object: subject, field: `spec.configuration.ingressNginx[${key}]`, reason: 'InvalidSetting' },
    ])
    expect(problems[0]?.message).toContain('it must be')
  })

  test.each([
    ['whitelist-source-range', '10.0.0.0/8'],
    ['denylist-source-range', '10.0.0.0/8'],
    ['block-cidrs', '10.0.0.0/8'],
    ['global-auth-url', 'http://a.example'],
    ['enable-modsecurity', 'true'],
    ['hsts', 'true'],
    ['http-snippet', 'deny all;'],
  ])('%s: %j protects in ingress-nginx, so it does not go by in silence', (key, text) => {
    const { problems } = resolve({ [key]: text })
    expect(problems).toMatchObject([{ reason: 'UnsupportedProtection' }])
    expect(problems[0]?.message).toContain('no route is protected by it')
  })

  test.each([
    ['enable-modsecurity', 'false'],
    ['hsts', 'false'],
    ['global-auth-url', ''],
  ])('%s: %j protects nothing and is accepted', (key, text) => {
    expect(resolve({ [key]: text }).problems).toEqual([])
  })

  test('a known key without effect and an unknown one are told apart', () => {
    const { problems } = resolve({ 'use-gzip': 'true', 'proxy-raed-timeout': '5' })
    expect(problems.map(({ reason, field }) => `${reason} ${field}`)).toEqual([
      'UnknownSetting spec.configuration.ingressNginx[proxy-raed-timeout]',
      'SettingWithoutEffect spec.configuration.ingressNginx[use-gzip]',
    ])
  })

  test('a ConfigMap is named by its data', () => {
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'nginx' }
    expect(resolveSettings(undefined, { nonsense: '1' }, configMap).problems[0]?.field).toBe('data[nonsense]')
  })

  test('each key is in one table only, with text about it', () => {
    const keys = [...configMapSettings.keys(), ...unprotectedConfigMapKeys.keys(), ...ineffectiveConfigMapKeys]
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys.every(key => /^[a-z0-9-]+$/.test(key))).toBe(true)
    for (const { doc } of [...configMapSettings.values(), ...unprotectedConfigMapKeys.values()])
      expect(doc.length).toBeGreaterThan(8)
  })
})
