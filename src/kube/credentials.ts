import { readFile } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'
import { delimiter, join } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'
import { type Clock, systemClock } from './clock.ts'

/** What a TLS connection to the API server needs, as PEM text. */
export interface TlsMaterial {
  readonly caPem?: string
  readonly certificatePem?: string
  readonly privateKeyPem?: string
  readonly serverName?: string
  /** Do not check the server's certificate. */
  readonly insecure?: boolean
}

interface Credentials {
  readonly headers: Readonly<Record<string, string>>
  readonly tls: TlsMaterial
}

/** How to reach an API server, and as whom. */
export interface ClusterAccess {
  /** URL of the API server; it may have a path. */
  readonly server: string
  /** Namespace of the pod or of the kubeconfig's context. */
  readonly namespace: string
  /** Credentials for the next request; `refresh` after a 401, so that nothing remembered is used. */
  authorize(refresh?: boolean): Promise<Credentials>
}

export interface ClusterAccessOptions {
  /** Path of a kubeconfig, or several as in KUBECONFIG. */
  readonly kubeconfig?: string
  /** Context to use instead of the current one. */
  readonly context?: string
  /** Used when no kubeconfig is given. */
  readonly serviceAccountDirectory?: string
  /** URL of the API server for a pod, from KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT. */
  readonly inClusterServer?: string
  readonly clock?: Clock
}

const defaultServiceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Bound tokens are renewed on disk long before they end; client-go reads them as often. */
const tokenLifeMs = 60_000

/** client-node runs exec plugins and reads token files behind this call, with caches of its own. */
const kubeconfigLifeMs = 10_000

/** Reads a kubeconfig, or a pod's service account. Throws when files are missing or name no cluster. */
export async function loadClusterAccess(options: ClusterAccessOptions): Promise<ClusterAccess> {
  const clock = options.clock ?? systemClock
  if (options.kubeconfig) return kubeconfigAccess(options.kubeconfig, options.context, clock)
  const directory = options.serviceAccountDirectory ?? defaultServiceAccountDirectory
  const namespace = await readFile(join(directory, 'namespace'), 'utf8').catch((error: unknown) => {
    throw new Error(`reading the service account in ${directory}: none is there; name a kubeconfig instead`, {
      cause: error,
    })
  })
  const server = options.inClusterServer ?? 'https://kubernetes.default.svc'
  const read = () => readServiceAccount(directory)
  return new CachedAccess({ server, namespace: namespace.trim(), read, lifeMs: tokenLifeMs, clock })
}

interface CachedAccessOptions {
  readonly server: string
  readonly namespace: string
  readonly read: (refresh: boolean) => Promise<Credentials>
  readonly lifeMs: number
  readonly clock: Clock
}

/** Credentials that are read again when they are old or refused. */
class CachedAccess implements ClusterAccess {
  readonly server: string
  readonly namespace: string
  readonly #options: CachedAccessOptions
  #credentials: Credentials | undefined
  #readAtMs = 0
  #reading: Promise<Credentials> | undefined

  constructor(options: CachedAccessOptions) {
    this.server = options.server
    this.namespace = options.namespace
    this.#options = options
  }

  async authorize(refresh = false): Promise<Credentials> {
    const { clock, lifeMs } = this.#options
    if (this.#credentials && !refresh && clock.monotonicMs() - this.#readAtMs < lifeMs) return this.#credentials
    // Many requests refused at once are one reading.
    this.#reading ??= this.#read(refresh).finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #read(refresh: boolean): Promise<Credentials> {
    try {
      this.#credentials = await this.#options.read(refresh)
      this.#readAtMs = this.#options.clock.monotonicMs()
    } catch (error) {
      // A file in the middle of its replacement: what was read before may still be good.
      if (!this.#credentials) throw error
    }
    return this.#credentials
  }
}

async function readServiceAccount(directory: string): Promise<Credentials> {
  const [token, caPem] = await Promise.all([
    readFile(join(directory, 'token'), 'utf8'),
    readFile(join(directory, 'ca.crt'), 'utf8'),
  ])
  return { headers: { authorization: `Bearer ${token.trim()}` }, tls: { caPem } }
}

async function kubeconfigAccess(files: string, context: string | undefined, clock: Clock): Promise<ClusterAccess> {
  let config = await loadKubeconfig(files, context)
  const server = config.getCurrentCluster()?.server
  if (!server) throw new Error(`reading kubeconfig ${files}: context "${config.getCurrentContext()}" names no cluster`)
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace ?? 'default'
  const read = async (refresh: boolean) => {
    // A new object forgets what an exec plugin answered, and sees a kubeconfig that was written anew.
    if (refresh) config = await loadKubeconfig(files, context)
    return kubeconfigCredentials(config)
  }
  return new CachedAccess({ server, namespace, read, lifeMs: kubeconfigLifeMs, clock })
}

async function loadKubeconfig(files: string, context: string | undefined): Promise<KubeConfig> {
  // Loading client-node takes half a second; a pod never needs it.
  const { KubeConfig } = await import('@kubernetes/client-node')
  const [first = '', ...rest] = files.split(delimiter).filter(file => file !== '')
  const config = new KubeConfig()
  config.loadFromFile(first)
  for (const file of rest) {
    const more = new KubeConfig()
    more.loadFromFile(file)
    config.mergeConfig(more, true)
  }
  if (context !== undefined) config.setCurrentContext(context)
  if (config.getCurrentCluster()?.proxyUrl) {
    throw new Error(`reading kubeconfig ${files}: proxy-url is not supported; use a context that is reached directly`)
  }
  return config
}

async function kubeconfigCredentials(config: KubeConfig): Promise<Credentials> {
  const options: RequestOptions = {}
  await config.applyToHTTPSOptions(options)
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value)
  if (options.auth) headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`
  return {
    headers,
    tls: {
      ...pem('caPem', options.ca),
      ...pem('certificatePem', options.cert),
      ...pem('privateKeyPem', options.key),
      ...(options.servername === undefined ? {} : { serverName: options.servername }),
      ...(options.rejectUnauthorized === false ? { insecure: true } : {}),
    },
  }
}

function pem<K extends keyof TlsMaterial>(name: K, value: unknown): { [key in K]?: string } {
  if (typeof value !== 'string' && !Buffer.isBuffer(value)) return {}
  return { [name]: value.toString() } as { [key in K]: string }
}
