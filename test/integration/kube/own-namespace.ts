import { beforeEach } from 'vitest'
import type { KubeClient } from '../../../src/kube/client.ts'
import { sharedCluster, type TestCluster } from '../cluster.ts'
import { liveClient } from './live-client.ts'

export interface OwnNamespace {
  readonly cluster: TestCluster
  /** Talks to the API server directly. */
  readonly client: KubeClient
  readonly namespace: string
}

/** Each test gets a client of the shared cluster, closed after it, and a namespace that no other test has. */
export function withOwnNamespace(use: (own: OwnNamespace) => void): void {
  beforeEach(async () => {
    const cluster = sharedCluster()
    const client = await liveClient(cluster.kubeconfig)
    use({ cluster, client, namespace: await cluster.createNamespace() })
  })
}
