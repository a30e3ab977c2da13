import { networkInterfaces } from 'node:os'
import type { KubernetesObject } from '../../../src/api/kubernetes.ts'
import { hasStatus } from '../../../src/kube/api-error.ts'
import { KubeClient } from '../../../src/kube/client.ts'
import { loadClusterAccess } from '../../../src/kube/credentials.ts'
import { type Resource, resources } from '../../../src/kube/resource.ts'
import { createLog } from '../../../src/observe/log.ts'
import { defaultSettings } from '../../../src/routing/default-settings.ts'
import { type ControlPlane, startControlPlane } from '../../integration/control-plane.ts'
import { instanceConfigMap } from '../../integration/instance-config-map.ts'
import { benchClass, benchNamespace, ingressOf, type RealEndpoint, serviceOf, sliceOf } from './population.ts'

const instance = { namespace: benchNamespace, name: benchClass }

/** Writes under way at once. */
const writers = 48

/** A real kube-apiserver that is filled step by step, so that each object is written once a run. */
export class BenchCluster {
  readonly client: KubeClient
  readonly kubeconfig: string
  readonly #controlPlane: ControlPlane
  readonly #sentinel: RealEndpoint
  #size = 0

  private constructor(controlPlane: ControlPlane, client: KubeClient, sentinel: RealEndpoint) {
    this.#controlPlane = controlPlane
    this.client = client
    this.kubeconfig = controlPlane.address.kubeconfig
    this.#sentinel = sentinel
  }

  static async start(sentinel: RealEndpoint): Promise<BenchCluster> {
    const controlPlane = await startControlPlane()
    const access = await loadClusterAccess({ kubeconfig: controlPlane.address.kubeconfig })
    const client = new KubeClient(access, { log: createLog({ level: 'error' }), userAgent: 'ingress-fleet-bench' })
    const cluster = new BenchCluster(controlPlane, client, sentinel)
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: benchNamespace } }
    await client.create(resources.namespaces, namespace)
    await cluster.configure(1)
    return cluster
  }

  /** Ingresses there are, beside those of a probe. */
  get size(): number {
    return this.#size
  }

  /** Sets how many data workers a proxy that starts now has. */
  async configure(workers: number): Promise<void> {
    const settings = { ...defaultSettings, workers, accessLog: 'off' } as const
    await this.put(resources.configMaps, instanceConfigMap(instance, { namespaces: null, settings }))
  }

  /** Adds Ingresses, each with a Service and ten endpoints, until there are so many. Resolves with the seconds it took. */
  async grow(size: number): Promise<number> {
    const startedMs = performance.now()
    const numbers = Array.from({ length: Math.max(0, size - this.#size) }, (_, offset) => this.#size + offset)
    const left = numbers.values()
    await Promise.all(
      Array.from({ length: writers }, async () => {
        for (const index of left) {
          await this.client.create(resources.services, serviceOf(index))
          await this.client.create(resources.endpointSlices, sliceOf(index, this.#sentinel))
          await this.client.create(resources.ingresses, ingressOf(index))
        }
      }),
    )
    this.#size = Math.max(size, this.#size)
    return (performance.now() - startedMs) / 1000
  }

  /** Creates an object, or writes over the one of its name. */
  async put(resource: Resource, object: KubernetesObject): Promise<void> {
    try {
      await this.client.create(resource, object)
    } catch (error) {
      if (!hasStatus(error, 409)) throw error
      await this.client.replace(resource, object)
    }
  }

  async stop(): Promise<void> {
    await this.client.close()
    await this.#controlPlane.stop()
  }
}

/** An address of this machine that may be an endpoint; the API server and the proxy refuse loopback ones. */
export function ownAddress(): string {
  const own = Object.values(networkInterfaces())
    .flat()
    .find(address => address !== undefined && address.family === 'IPv4' && !address.internal)
  if (own === undefined) throw new Error('this needs a network interface with an IPv4 address beside loopback')
  return own.address
}
