import { beforeEach, expect, it, onTestFinished } from 'vitest'
import type { KubernetesObject } from '../../../src/api/kubernetes.ts'
import type { KubeClient, ObjectList } from '../../../src/kube/client.ts'
import { MalformedProtobuf, ProtobufReader } from '../../../src/kube/protobuf-reader.ts'
import { Reflector } from '../../../src/kube/reflector.ts'
import { apiVersionOf, type Resource, resources } from '../../../src/kube/resource.ts'
import { Store } from '../../../src/kube/store.ts'
import { decodeEndpointSlice } from '../../../src/sources/decode-endpoint-slice.ts'
import { decodeIngress } from '../../../src/sources/decode-ingress.ts'
import { decodeService } from '../../../src/sources/decode-service.ts'
import { ingestEndpointSlice, ingestIngress, ingestService } from '../../../src/sources/ingest.ts'
import { SharedValues } from '../../../src/sources/shared-values.ts'
import { silentLog } from '../../kube/silent-log.ts'
import { describeOnCluster, sharedCluster } from '../cluster.ts'
import { liveClient } from '../kube/live-client.ts'

/** As varied as the API server takes them. */
const objects = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: everything
  labels: {team: shop, empty: ""}
  annotations:
    nginx.ingress.kubernetes.io/ssl-redirect: "false"
    note: "höflich \\"quoted\\""
spec:
  ingressClassName: public
  defaultBackend: {service: {name: fallback, port: {name: http}}}
  tls:
  - {hosts: [a.example, "*.b.example"], secretName: a-tls}
  - {hosts: [c.example]}
  - {secretName: any}
  rules:
  - host: a.example
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: app, port: {number: 80}}}}
      - {path: /exact, pathType: Exact, backend: {service: {name: app, port: {name: admin}}}}
      - {pathType: ImplementationSpecific, backend: {resource: {apiGroup: x.example, kind: Bucket, name: b}}}
  - http: {paths: [{path: /any, pathType: Prefix, backend: {service: {name: app, port: {number: 65535}}}}]}
  - host: bare.example
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: small}
spec: {defaultBackend: {service: {name: fallback, port: {number: 8080}}}}
---
apiVersion: v1
kind: Service
metadata: {name: app, annotations: {note: x}}
spec:
  ports:
  - {name: http, port: 80, targetPort: web}
  - {name: admin, port: 81, targetPort: 8081, protocol: TCP, appProtocol: http}
  - {name: dns, port: 53, protocol: UDP}
---
apiVersion: v1
kind: Service
metadata: {name: one-port}
spec: {type: NodePort, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: elsewhere}
spec: {type: ExternalName, externalName: api.example.com}
---
apiVersion: v1
kind: Service
metadata: {name: bare}
spec: {clusterIP: None}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: app-1, labels: {kubernetes.io/service-name: app, other: x}}
addressType: IPv4
ports: [{name: http, port: 8080, protocol: TCP}, {name: "", port: 9090, appProtocol: http}]
endpoints:
- {addresses: [10.0.0.1], conditions: {ready: true, serving: true, terminating: false}, nodeName: node-1, zone: z1,
   hints: {forZones: [{name: z1}, {name: z2}]}, targetRef: {kind: Pod, name: p, namespace: shop}}
- {addresses: [10.0.0.2], conditions: {ready: false, serving: true, terminating: true}, zone: z2}
- {addresses: [10.0.0.3]}
- {addresses: [10.0.0.4, 10.0.0.5], conditions: {ready: false}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: app-2, labels: {kubernetes.io/service-name: app}}
addressType: IPv6
endpoints: [{addresses: ["2001:db8::1"], conditions: {ready: true}}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: stray}
addressType: FQDN
ports: []
endpoints: []
`

const kinds = [
  { resource: resources.ingresses, decode: decodeIngress, ingest: ingestIngress },
  { resource: resources.services, decode: decodeService, ingest: ingestService },
  { resource: resources.endpointSlices, decode: decodeEndpointSlice, ingest: ingestEndpointSlice },
] as const

describeOnCluster("objects in the API server's own encoding", () => {
  let client: KubeClient
  let namespace: string

  beforeEach(async () => {
    const cluster = sharedCluster()
    client = await liveClient(cluster.kubeconfig)
    namespace = await cluster.createNamespace()
    await cluster.kubectl(['apply', '--namespace', namespace, '-f', '-'], objects)
  })

  it.each(kinds)(
    '$resource.kind: what is kept of it is what is kept of its JSON',
    async ({ resource, decode, ingest }) => {
      const json: ObjectList<KubernetesObject> = await client.list(resource, { namespace })
      const binary = await client.listProtobuf<KubernetesObject>(resource, { namespace })
      const shared = new SharedValues()
      const fromJson = (json.items ?? []).map(item => ingest(withKind(item, resource), shared))
      const fromBinary = (binary.items ?? []).map(item => {
        if (!(item instanceof ProtobufReader)) throw new Error('the API server answered in JSON')
        return ingest(decode(item), shared)
      })
      expect(fromJson.length).toBeGreaterThan(0)
      expect(fromBinary).toEqual(fromJson)
      expect(binary.metadata.resourceVersion).toMatch(/^\d+$/)
    },
  )

  it('pages go on where the last one ended', async () => {
    const names: string[] = []
    let next: string | undefined
    do {
      const page = await client.listProtobuf(resources.endpointSlices, { namespace, limit: 1, continue: next })
      for (const item of page.items ?? []) names.push(decodeEndpointSlice(item as ProtobufReader).metadata.name)
      next = page.metadata.continue
    } while (next !== undefined)
    expect(names.filter(name => ['app-1', 'app-2', 'stray'].includes(name))).toEqual(['app-1', 'app-2', 'stray'])
  })

  it('are asked for in JSON when they can not be read', async () => {
    const store = new Store<string>()
    const reflector = new Reflector<string>({
      client,
      log: silentLog(),
      resource: resources.endpointSlices,
      namespace,
      store,
      transform: ({ metadata }) => metadata.name,
      decode: () => {
        throw new MalformedProtobuf('a field of a time to come')
      },
    })
    onTestFinished(() => reflector.stop())
    reflector.start()
    await reflector.synced()
    expect([...store.values()]).toEqual(expect.arrayContaining(['app-1', 'app-2', 'stray']))
  })
})

function withKind(item: KubernetesObject, resource: Resource): KubernetesObject {
  return { ...item, apiVersion: apiVersionOf(resource), kind: resource.kind }
}
