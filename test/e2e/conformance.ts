/**
 * The scenarios of https://github.com/kubernetes-sigs/ingress-controller-conformance restated: what all features share.
 * As there, every feature has namespaces of its own, one Ingress in it, and talks to the address in its status.
 */
import { expect, vi } from 'vitest'
import type { EndpointSlice, Ingress } from '../../src/api/kubernetes.ts'
import type { ReceivedResponse, RequestOptions } from './client-messages.ts'
import { apply, getObject, kubectl, listObjects } from './kubectl.ts'
import { echo, ingressDeployment, namespace } from './manifests.ts'
import { OutsideClient } from './outside-client.ts'

export const conformanceClass = 'conformance'
const fleetNamespace = 'ingress-conformance'

/** What the echo application says of a request. */
export interface EchoAnswer {
  readonly method: string
  readonly path: string
  readonly protocol: string
  readonly host: string
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly service: string
  readonly pod: string
}

export interface Feature {
  readonly namespace: string
  /** From the status of the Ingress. */
  readonly address: string
  /** Sends a request to that address, whatever the host of its URL. */
  send(options: RequestOptions): Promise<ReceivedResponse>
  end(): Promise<void>
}

export interface FeatureOptions {
  readonly name: string
  readonly services: readonly string[]
  readonly objects: (namespace: string) => readonly object[]
}

/** Applies the objects of a feature and returns when its Ingress has an address and all its services have endpoints. */
export async function startFeature(options: FeatureOptions): Promise<Feature> {
  const place = `ingress-conformance-${options.name}`
  const fleet = { namespace: fleetNamespace, name: conformanceClass }
  await apply(
    namespace(fleetNamespace),
    ingressDeployment(fleet, { replicas: 1, service: { type: 'LoadBalancer', externalTrafficPolicy: 'Local' } }),
    namespace(place),
    ...options.services.flatMap(name => echo({ namespace: place, name })),
    ...options.objects(place),
  )
  await kubectl('wait', `igd/${conformanceClass}`, '-n', fleetNamespace, '--for=condition=Available', '--timeout=90s')
  const client = new OutsideClient()
  const address = await vi.waitFor(() => ingressAddress(place), { timeout: 60_000, interval: 200 })
  for (const service of options.services) await endpointsReady(place, service, 1)
  return {
    namespace: place,
    address,
    send: request => client.request({ connectTo: address, ...request }),
    end: async () => {
      await client.close()
      await kubectl('delete', 'ingress', '--all', '-n', place) // at once: a default backend would catch the next feature's requests
      await kubectl('delete', 'namespace', place, '--wait=false')
    },
  }
}

async function ingressAddress(place: string): Promise<string> {
  const [found] = await listObjects<Ingress>('ingress', '-n', place)
  const entry = found?.status?.loadBalancer?.ingress?.[0]
  const address = entry?.ip ?? entry?.hostname
  if (address === undefined) throw new Error(`the Ingress in ${place} has no address in its status`)
  return address
}

export async function endpointsReady(place: string, service: string, count: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const slices = await listObjects<EndpointSlice>(
        'endpointslice',
        '-n',
        place,
        '-l',
        `kubernetes.io/service-name=${service}`,
      )
      const ready = slices
        .flatMap(slice => slice.endpoints ?? [])
        .filter(endpoint => endpoint.conditions?.ready === true)
      expect(ready).toHaveLength(count)
    },
    { timeout: 90_000, interval: 200 },
  )
}

export function parseEcho(response: ReceivedResponse): EchoAnswer {
  expect(response).toMatchObject({ status: 200 })
  return JSON.parse(response.body) as EchoAnswer
}

export function getIngress(place: string, name: string): Promise<Ingress> {
  return getObject<Ingress>('ingress', name, '-n', place)
}
