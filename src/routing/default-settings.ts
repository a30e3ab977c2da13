import type { ProxySettings } from '../api/settings.ts'
import { tlsProfiles } from '../api/tls-profile.ts'

/** What applies where neither a typed field nor a ConfigMap key says otherwise: the defaults that the CRD documents. */
export const defaultSettings: ProxySettings = {
  workers: 'auto',
  accessLog: 'text',
  timeouts: {
    clientHeadMs: 10_000,
    clientBodyMs: 60_000,
    slowClientGraceMs: 5000,
    keepAliveMs: 75_000,
    connectMs: 5000,
    readMs: 60_000,
    sendMs: 60_000,
    drainMs: 240_000,
    tunnelDrainMs: 30_000,
  },
  limits: {
    maxBodyBytes: 1_048_576,
    maxRequestLineBytes: 16_384,
    maxHeaderBytes: 32_768,
    maxHeaderCount: 100,
    maxConnections: 16_384,
    maxConnectionsPerAddress: 0,
    maxHandshakes: 1024,
    maxRequestsPerConnection: 1000,
    maxBufferedBodyBytes: 1_048_576,
    minHeadBytesPerSecond: 100,
    minBodyBytesPerSecond: 240,
    maxMemoryBytes: 0,
  },
  upstreamKeepAlive: {
    maxIdlePerEndpoint: 320,
    idleMs: 60_000,
    maxRequestsPerConnection: 10_000,
    maxLifetimeMs: 3_600_000,
  },
  loadBalance: { algorithm: 'round_robin', slowStartMs: 0 },
  requestBuffering: false,
  retries: { on: 'safe', nonIdempotent: false, attempts: 0, withinMs: 0 },
  tls: tlsProfiles.Intermediate,
  trustForwardedHeaders: false,
  tlsRedirect: true,
  redirectStatus: 308,
}
