import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProxySettings } from '../../src/api/settings.ts'
import { createLog } from '../../src/observe/log.ts'
import type { MemoryOptions } from '../../src/proxy/memory-watch.ts'
import { createProxy, type Proxy, type ProxyStats } from '../../src/proxy/proxy.ts'
import type { RouteOptions } from '../../src/routing/annotations.ts'
import { defaultSettings } from '../../src/routing/default-settings.ts'
import type { Backend, Certificate, ClientCertificateRule, Delta, Host, Route } from '../../src/routing/model.ts'
import { RawClient } from './raw-client.ts'

/** Changes of the settings that a test needs; timeouts and limits are merged one by one. */
export interface SettingsChange extends Partial<Omit<ProxySettings, 'timeouts' | 'limits' | 'upstreamKeepAlive'>> {
  readonly timeouts?: Partial<ProxySettings['timeouts']>
  readonly limits?: Partial<ProxySettings['limits']>
  readonly upstreamKeepAlive?: Partial<ProxySettings['upstreamKeepAlive']>
}

export function settingsWith(change: SettingsChange): ProxySettings {
  return {
    ...defaultSettings,
    ...change,
    timeouts: { ...defaultSettings.timeouts, ...change.timeouts },
    limits: { ...defaultSettings.limits, ...change.limits },
    upstreamKeepAlive: { ...defaultSettings.upstreamKeepAlive, ...change.upstreamKeepAlive },
  }
}

/** What a test wants served: the delta is made from it. */
export interface Change {
  readonly hosts?: Readonly<Record<string, Host | undefined>>
  /** Service name → ports on 127.0.0.1. */
  readonly backends?: Readonly<Record<string, readonly number[] | undefined>>
  /** Service name → indexes of its ports that are in the zone of the proxy. */
  readonly near?: Readonly<Record<string, readonly number[]>>
  readonly certificates?: readonly Certificate[]
  readonly defaultCertificate?: string
  readonly settings?: SettingsChange
}

export interface HostOptions {
  readonly tls?: boolean
  readonly certificate?: string
  readonly options?: RouteOptions
  readonly refusal?: Route['refusal']
  readonly clientCertificates?: ClientCertificateRule
}

/** A host with one Prefix route on `/` to a service of namespace `test`. */
export function host(name: string, service: string | undefined, options: HostOptions = {}): Host {
  const route: Route = {
    id: `test/web/${name}/prefix/`,
    path: '/',
    match: 'prefix',
    ingress: { namespace: 'test', name: 'web' },
    backend: service === undefined ? undefined : backendId(service),
    refusal: options.refusal,
    options: options.options ?? {},
  }
  return {
    name,
    routes: [route],
    defaultRoute: undefined,
    tls: options.tls ?? false,
    certificate: options.certificate,
    ...(options.clientCertificates === undefined ? {} : { clientCertificates: options.clientCertificates }),
  }
}

export function backendId(service: string): string {
  return `test/${service}/80`
}

/** A proxy in this process, its workers as in production but from their TypeScript, on ports of its own. */
export class InProcess {
  readonly proxy: Proxy
  /** What the control thread has logged. */
  readonly logged: Readonly<Record<string, unknown>>[] = []
  httpPort = 0
  httpsPort = 0
  readonly #directory: string
  readonly #logFd: number
  #revision = 0

  constructor(
    workers = 1,
    options: {
      readonly allowLoopbackEndpoints?: boolean
      readonly workerFile?: URL
      readonly httpPort?: number
      readonly address?: string
      readonly memory?: MemoryOptions
      readonly hangMs?: number
      readonly ticketKeyFile?: string
    } = {},
  ) {
    this.#directory = mkdtempSync(join(tmpdir(), 'ingress-fleet-test-'))
    this.#logFd = openSync(join(this.#directory, 'access.log'), 'a')
    this.proxy = createProxy({
      address: options.address ?? '127.0.0.1',
      httpPort: options.httpPort ?? 0,
      httpsPort: 0,
      workers,
      log: createLog({
        level: 'info',
        destination: { write: line => this.logged.push(JSON.parse(line) as Record<string, unknown>) },
      }),
      workerFile: options.workerFile ?? new URL('../../src/proxy/worker.ts', import.meta.url),
      allowLoopbackEndpoints: options.allowLoopbackEndpoints ?? true,
      accessLogFd: this.#logFd,
      ...(options.memory === undefined ? {} : { memory: options.memory }),
      ...(options.hangMs === undefined ? {} : { hangMs: options.hangMs }),
      ticketKeyFile: options.ticketKeyFile,
    })
  }

  async start(change: Change = {}): Promise<this> {
    await this.publish(change)
    const ports = await this.proxy.start()
    this.httpPort = ports.httpPort
    this.httpsPort = ports.httpsPort
    return this
  }

  async publish(change: Change): Promise<void> {
    this.#revision++
    const delta: Delta = {
      revision: this.#revision,
      hosts: new Map(Object.entries(change.hosts ?? {})),
      backends: new Map(
        Object.entries(change.backends ?? {}).map(([service, ports]) => [
          backendId(service),
          backendOf(service, ports, change.near?.[service]),
        ]),
      ),
      certificates: new Map((change.certificates ?? []).map(one => [one.id, one])),
      ...(change.defaultCertificate === undefined ? {} : { defaultCertificate: change.defaultCertificate }),
      ...(change.settings === undefined ? {} : { settings: settingsWith(change.settings) }),
    }
    await this.proxy.publish(delta)
  }

  async client(): Promise<RawClient> {
    return RawClient.connect(this.httpPort)
  }

  get stats(): ProxyStats {
    return this.proxy.stats()
  }

  /** Resolves when the numbers of the workers satisfy the condition. */
  async until(condition: (stats: ProxyStats) => boolean): Promise<void> {
    while (!condition(this.stats)) await turn()
  }

  accessLog(): string {
    return readFileSync(join(this.#directory, 'access.log'), 'utf8')
  }

  async close(): Promise<void> {
    await this.proxy.close()
    closeSync(this.#logFd)
    rmSync(this.#directory, { recursive: true })
  }
}

/** Lets sockets and other threads go on for a moment; what is awaited is always a condition, never the moment. */
export async function turn(): Promise<void> {
  await new Promise(resolve => {
    setTimeout(resolve, 5)
  })
}

function backendOf(
  service: string,
  ports: readonly number[] | undefined,
  near: readonly number[] | undefined,
): Backend | undefined {
  if (ports === undefined) return undefined
  return {
    id: backendId(service),
    namespace: 'test',
    service,
    port: '80',
    endpoints: ports.map(port => ({ address: '127.0.0.1', port })),
    ...(near === undefined ? {} : { near }),
  }
}
