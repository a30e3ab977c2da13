import { onTestFinished } from 'vitest'
import { KubeClient } from '../../../src/kube/client.ts'
import { type ClusterAccess, loadClusterAccess } from '../../../src/kube/credentials.ts'
import { silentLog } from '../../kube/silent-log.ts'

export interface LiveClientOptions {
  /** URL of a proxy in front of the API server. */
  readonly server?: string
  readonly requestTimeoutMs?: number
}

/** A client of the API server in a kubeconfig, closed at the end of the test. */
export async function liveClient(kubeconfig: string, options: LiveClientOptions = {}): Promise<KubeClient> {
  const loaded = await loadClusterAccess({ kubeconfig })
  const access: ClusterAccess = {
    server: options.server ?? loaded.server,
    namespace: loaded.namespace,
    authorize: refresh => loaded.authorize(refresh),
  }
  return closedAtTheEnd(access, options.requestTimeoutMs)
}

export function closedAtTheEnd(access: ClusterAccess, requestTimeoutMs = 30_000): KubeClient {
  const client = new KubeClient(access, { log: silentLog(), userAgent: 'ingress-fleet-tests', requestTimeoutMs })
  onTestFinished(() => client.close())
  return client
}
