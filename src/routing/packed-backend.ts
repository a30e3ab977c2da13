import type { Backend, Endpoint } from './model.ts'
import { packEndpoints, unpackEndpoints } from './packed-endpoints.ts'

/** What of a packed backend `structuredClone` carries: its fields, and for its endpoints their text. */
type PackedFields = Omit<Backend, 'endpoints'> & { readonly packed: string }

/**
 * A backend whose endpoints are a text until they are asked for. Who asks for every request wants them kept; who asks
 * once in a while wants the memory.
 */
class PackedBackend {
  readonly packed: string
  readonly #keep: boolean
  #endpoints: readonly Endpoint[] | undefined

  constructor(packed: string, keep: boolean) {
    this.packed = packed
    this.#keep = keep
  }

  get endpoints(): readonly Endpoint[] {
    if (this.#endpoints !== undefined) return this.#endpoints
    const endpoints = unpackEndpoints(this.packed)
    if (this.#keep) this.#endpoints = endpoints
    return endpoints
  }
}

/** Endpoints for one look, as of who lists them all: nothing is kept that was not before. */
export function lookAtEndpoints(backend: Backend): readonly Endpoint[] {
  return backend instanceof PackedBackend ? unpackEndpoints(backend.packed) : backend.endpoints
}

/** The same backend in little memory; its endpoints are unpacked anew whenever they are read. */
export function packBackend({ endpoints, ...fields }: Backend): Backend {
  return Object.assign(new PackedBackend(packEndpoints(endpoints), false), fields)
}

/** Makes backends of what `structuredClone` left of packed ones; their endpoints are unpacked once, when first read. */
export function reviveBackends(
  cloned: ReadonlyMap<string, Backend | undefined>,
): ReadonlyMap<string, Backend | undefined> {
  const revived = new Map<string, Backend | undefined>()
  for (const [id, backend] of cloned) revived.set(id, backend === undefined ? undefined : revive(backend))
  return revived
}

function revive(cloned: Backend): Backend {
  if (!isPacked(cloned)) return cloned
  const { packed, ...fields } = cloned
  return Object.assign(new PackedBackend(packed, true), fields)
}

function isPacked(backend: Backend | PackedFields): backend is PackedFields {
  return 'packed' in backend
}
