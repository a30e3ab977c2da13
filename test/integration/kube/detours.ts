import { onTestFinished } from 'vitest'
import type { KubeClient } from '../../../src/kube/client.ts'
import { loadClusterAccess } from '../../../src/kube/credentials.ts'
import type { TestCluster } from '../cluster.ts'
import { HttpFront } from '../http-front.ts'
import { TcpProxy } from '../tcp-proxy.ts'
import { type LiveClientOptions, liveClient } from './live-client.ts'

/** A client that reaches the API server through a TCP proxy that fails on demand; both end with the test. */
export async function proxied(
  { kubeconfig }: TestCluster,
  options: Omit<LiveClientOptions, 'server'> = {},
): Promise<{ readonly proxy: TcpProxy; readonly client: KubeClient }> {
  const { server } = await loadClusterAccess({ kubeconfig })
  const proxy = await TcpProxy.start(server)
  onTestFinished(() => proxy.stop())
  return { proxy, client: await liveClient(kubeconfig, { ...options, server: proxy.url }) }
}

/** A client that reaches the API server through a front that answers in its place; both end with the test. */
export async function fronted({
  kubeconfig,
}: TestCluster): Promise<{ readonly front: HttpFront; readonly client: KubeClient }> {
  const front = await HttpFront.start(kubeconfig)
  onTestFinished(() => front.stop())
  return { front, client: await liveClient(kubeconfig, { server: front.url }) }
}
