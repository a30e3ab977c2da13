import type { ProxySettings } from '../api/settings.ts'

/** In force until the first delta that brings settings. */
export const initialSettings: ProxySettings = {
  workers: 'auto',
  accessLog: 'text',
  timeouts: {
    clientHeadMs: 10_000,
    clientBodyMs: 60_000,
    slowClientGraceMs: 5_000,
    keepAliveMs: 75_000,
    connectMs: 5_000,
    readMs: 60_000,
    sendMs: 60_000,
    drainMs: 60_000,
    tunnelDrainMs: 30_000,
  },
  limits: {
    maxBodyBytes: 1_048_576,
    maxRequestLineBytes: 16_384,
    maxHeaderBytes: 32_768,
    maxHeaderCount: 100,
    maxConnections: 16_384,
    maxConnectionsPerAddress: 0,
    maxRequestsPerConnection: 1_000,
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
  trustForwardedHeaders: false,
  tlsRedirect: true,
  redirectStatus: 308,
}
