import type { ConfigMap, EndpointSlice, Ingress, IngressClass, Namespace, Secret, Service } from '../api/kubernetes.ts'
import { type PackedIngress, packIngress, unpackIngress } from './packed-ingress.ts'
import { type PackedEndpointSlice, packEndpointSlice } from './packed-slice.ts'
import { ReverseIndex } from './reverse-index.ts'

/** Every kind of object that a source may deliver. ConfigMaps and Namespaces are for others: routing skips them. */
export type SourceObject =
  | Ingress
  | IngressClass
  | Service
  | EndpointSlice
  | PackedEndpointSlice
  | PackedIngress
  | Secret
  | ConfigMap
  | Namespace

/** An object as it is now; `object` undefined is a deletion. `namespace` is empty for cluster-scoped kinds. */
export interface Change {
  readonly kind: SourceObject['kind']
  readonly namespace: string
  readonly name: string
  readonly object: SourceObject | undefined
}

const serviceNameLabel = 'kubernetes.io/service-name'

/** Key of an object among those of its kind. */
export function objectKey(namespace: string, name: string): string {
  return `${namespace}/${name}`
}

/** The newest version of every object that routing depends on, by kind and `namespace/name`. */
export class Snapshot {
  readonly #ingresses = new Map<string, PackedIngress>()
  readonly classes = new Map<string, IngressClass>()
  readonly services = new Map<string, Service>()
  readonly secrets = new Map<string, Secret>()
  readonly #slices = new Map<string, PackedEndpointSlice>()
  readonly #slicesOfService = new ReverseIndex()

  get size(): number {
    return this.#ingresses.size + this.classes.size + this.services.size + this.secrets.size + this.#slices.size
  }

  /** Takes a change in. Returns the services whose EndpointSlices it concerns. */
  set(change: Change): readonly string[] {
    const key = objectKey(change.namespace, change.name)
    const { object } = change
    switch (change.kind) {
      case 'Ingress':
        put(this.#ingresses, key, object?.kind === 'Ingress' ? packedIngress(object) : undefined)
        return []
      case 'IngressClass':
        put(this.classes, change.name, object?.kind === 'IngressClass' ? object : undefined)
        return []
      case 'Service':
        put(this.services, key, object?.kind === 'Service' ? object : undefined)
        return []
      case 'Secret':
        put(this.secrets, key, object?.kind === 'Secret' ? object : undefined)
        return []
      case 'EndpointSlice':
        return this.#setSlice(key, change.namespace, object?.kind === 'EndpointSlice' ? object : undefined)
      case 'ConfigMap':
      case 'Namespace':
      default:
        return []
    }
  }

  ingressKeys(): Iterable<string> {
    return this.#ingresses.keys()
  }

  packedIngress(key: string): PackedIngress | undefined {
    return this.#ingresses.get(key)
  }

  /** Unpacked anew with every call. */
  ingress(key: string): Ingress | undefined {
    const packed = this.#ingresses.get(key)
    return packed === undefined ? undefined : unpackIngress(packed)
  }

  /** EndpointSlices of a Service; their order says nothing. */
  slicesOf(serviceKey: string): readonly PackedEndpointSlice[] {
    return [...this.#slicesOfService.get(serviceKey)]
      .map(key => this.#slices.get(key))
      .filter(slice => slice !== undefined)
  }

  #setSlice(key: string, namespace: string, given: EndpointSlice | PackedEndpointSlice | undefined): readonly string[] {
    const slice = given === undefined || 'packed' in given ? given : packEndpointSlice(given)
    const before = serviceOf(namespace, this.#slices.get(key))
    const after = serviceOf(namespace, slice)
    put(this.#slices, key, slice)
    if (before !== undefined) this.#slicesOfService.delete(before, key)
    if (after !== undefined) this.#slicesOfService.add(after, key)
    return [before, after].filter(service => service !== undefined)
  }
}

function packedIngress(given: Ingress | PackedIngress): PackedIngress {
  return 'said' in given ? given : packIngress(given)
}

function serviceOf(namespace: string, slice: PackedEndpointSlice | undefined): string | undefined {
  const name = slice?.metadata.labels?.[serviceNameLabel]
  return name === undefined ? undefined : objectKey(namespace, name)
}

function put<X>(map: Map<string, X>, key: string, value: X | undefined): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}
