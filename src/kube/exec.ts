import { Writable } from 'node:stream'
import type { ClusterAccess } from './credentials.ts'

/** A command to run in a container. */
export interface ExecTarget {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  readonly command: readonly string[]
  readonly timeoutMs?: number
}

/** What is used of the WebSocket, whose types its package does not bring. */
interface ExecSocket {
  on(event: 'close', listener: () => void): void
  on(event: 'error', listener: (error: Error) => void): void
  terminate(): void
}

/** Longest output that is taken; the state of a large proxy is some megabytes. */
const maxOutputBytes = 256 * 1_048_576
const defaultTimeoutMs = 15_000

/**
 * Runs a command in a pod as `kubectl exec` does and resolves with what it printed. Throws when it cannot be run, ends
 * with another code than 0, or takes too long.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
 */
export async function execInPod(access: ClusterAccess, target: ExecTarget): Promise<string> {
  const { Exec } = await import('@kubernetes/client-node')
  const output = new Collector()
  const errors = new Collector()
  const exec = new Exec(await kubeConfig(access))
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>()
  ended.catch(() => {})
  const { namespace, pod, container, command } = target
  const where = `running ${command.join(' ')} in pod ${namespace}/${pod}`
  const timer = setTimeout(
    () => reject(new Error(`${where}: no end within the time allowed`)),
    target.timeoutMs ?? defaultTimeoutMs,
  )
  try {
    const opened: unknown = await exec.exec(
      namespace,
      pod,
      container,
      [...command],
      output,
      errors,
      null,
      false,
      status => {
        if (status.status === 'Success') resolve()
        else reject(new Error(`${where}: ${errors.text().trim() || (status.message ?? 'failed')}`))
      },
    )
    const socket = opened as ExecSocket
    socket.on('close', () => reject(new Error(`${where}: the connection ended before the command`)))
    socket.on('error', (error: Error) => reject(new Error(`${where}: ${error.message}`, { cause: error })))
    await ended.finally(() => socket.terminate())
    return output.text()
  } catch (error) {
    throw error instanceof Error && error.message.startsWith(where)
      ? error
      : new Error(`${where}: ${reasonOf(error)}`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

/** client-node's form of what the shared credentials say, for its WebSocket. */
async function kubeConfig(access: ClusterAccess) {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const { headers, tls } = await access.authorize()
  const config = new KubeConfig()
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64')
  config.loadFromClusterAndUser(
    {
      name: 'cluster',
      server: access.server,
      skipTLSVerify: tls.insecure === true,
      ...(tls.caPem === undefined ? {} : { caData: base64(tls.caPem) }),
      ...(tls.serverName === undefined ? {} : { tlsServerName: tls.serverName }),
    },
    {
      name: 'user',
      ...(tls.certificatePem === undefined ? {} : { certData: base64(tls.certificatePem) }),
      ...(tls.privateKeyPem === undefined ? {} : { keyData: base64(tls.privateKeyPem) }),
      ...userOf(headers['authorization']),
    },
  )
  return config
}

function userOf(authorization = ''): { token?: string; username?: string; password?: string } {
  const [scheme = '', value = ''] = authorization.split(' ', 2)
  if (scheme === 'Bearer') return { token: value }
  if (scheme !== 'Basic') return {}
  const [username = '', ...password] = Buffer.from(value, 'base64').toString().split(':')
  return { username, password: password.join(':') }
}

/** A WebSocket that is refused gives an event, not an error. */
function reasonOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error)
}

class Collector extends Writable {
  readonly #chunks: Buffer[] = []
  #bytes = 0

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#bytes += chunk.length
    if (this.#bytes > maxOutputBytes) return done(new Error(`more than ${maxOutputBytes} bytes of output`))
    this.#chunks.push(chunk)
    done()
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }
}
