import type { FieldsV1, KubernetesObject } from '../api/kubernetes.ts'
import { findItem, isMap, type Json, ownedWithin } from './field-paths.ts'

/** Parts of `metadata` that say which object it is; the server never counts them as applied. */
const identity = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'managedFields',
  'selfLink',
])

/** Fields whose strings are quantities, which the server may write differently ("0.1" becomes "100m"). */
const quantityFields = new Set(['limits', 'requests', 'sizeLimit', 'divisor', 'averageValue'])

const suffixes: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

const nothing: FieldsV1 = {}

/** The fields that `manager` applied, as the live object has them; undefined when it applied none. */
export function appliedFields(live: KubernetesObject, manager: string, subresource = ''): FieldsV1 | undefined {
  return live.metadata.managedFields?.find(
    entry => entry.manager === manager && entry.operation === 'Apply' && (entry.subresource ?? '') === subresource,
  )?.fieldsV1
}

/**
 * Whether applying `desired` would change nothing: `applied` names exactly its fields, and `live` has their values.
 *
 * The shape of `applied` tells what the schema knows: lists with keys (`k:`), sets (`v:`), and what is owned whole.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export function isApplied(desired: KubernetesObject, live: KubernetesObject, applied: FieldsV1): boolean {
  const { apiVersion, kind, metadata, ...rest } = desired
  if (apiVersion !== live.apiVersion || kind !== live.kind) return false
  const meta = Object.fromEntries(Object.entries(metadata).filter(([name]) => !identity.has(name)))
  const wanted = Object.keys(meta).length === 0 ? rest : { ...rest, metadata: meta }
  return matchesMap(wanted, { ...live }, { applied, quantity: false })
}

/** Where the walk is: what is applied from here on, and whether the strings here are quantities. */
interface Place {
  readonly applied: FieldsV1
  readonly quantity: boolean
}

function matches(desired: unknown, live: unknown, place: Place): boolean {
  const owned = ownedWithin(place.applied)
  if (owned.length === 0) return contains(desired, live, place.quantity)
  if (Array.isArray(desired)) return Array.isArray(live) && matchesList(desired, live, { ...place, owned })
  return isMap(desired) && isMap(live) && matchesMap(desired, live, place)
}

function matchesMap(desired: Json, live: Json, place: Place): boolean {
  const wanted = new Set<string>()
  for (const [name, value] of Object.entries(desired)) {
    if (value === undefined) continue
    const applied = place.applied[`f:${name}`]
    wanted.add(`f:${name}`)
    if (!applied) {
      // The server notes nothing for an empty list with keys, and keeps what others have put there.
      if (Array.isArray(value) && value.length === 0) continue
      return false
    }
    const quantity = place.quantity || quantityFields.has(name)
    if (!matches(value, live[name], { applied, quantity })) return false
  }
  return ownedWithin(place.applied).every(path => wanted.has(path))
}

function matchesList(
  desired: readonly unknown[],
  live: readonly unknown[],
  place: Place & { readonly owned: readonly string[] },
): boolean {
  const { owned } = place
  if (owned.length !== desired.length) return false
  return owned.every(path => {
    const kind = path.slice(0, 2)
    const selector: unknown = JSON.parse(path.slice(2))
    const applied = place.applied[path] ?? nothing
    if (kind === 'v:') return desired.includes(selector) && live.includes(selector)
    if (kind === 'i:') return matches(desired[Number(selector)], live[Number(selector)], { ...place, applied })
    const wanted = findItem(desired, selector as Json, true)
    const found = findItem(live, selector as Json)
    return wanted !== undefined && found !== undefined && matches(wanted, found, { ...place, applied })
  })
}

/** What is owned whole: every desired value is there. Had another manager added to it, it would be theirs and no longer ours. */
function contains(desired: unknown, live: unknown, quantity: boolean): boolean {
  if (Array.isArray(desired)) {
    if (!Array.isArray(live)) return desired.length === 0 && live === undefined
    return desired.length === live.length && desired.every((item, index) => contains(item, live[index], quantity))
  }
  if (isMap(desired)) {
    const entries = Object.entries(desired).filter(([, value]) => value !== undefined)
    if (!isMap(live)) return entries.length === 0 && live === undefined
    return entries.every(([name, value]) => contains(value, live[name], quantity || quantityFields.has(name)))
  }
  return desired === live || (desired === null && live === undefined) || (quantity && sameQuantity(desired, live))
}

function sameQuantity(one: unknown, other: unknown): boolean {
  const [a, b] = [quantityOf(one), quantityOf(other)]
  return a !== undefined && b !== undefined && Math.abs(a - b) <= Math.abs(a) * 1e-12
}

/** Value of a quantity; https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
function quantityOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return undefined
  const match = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)$/.exec(value)
  const factor = suffixes[match?.[2] ?? '']
  return match && factor !== undefined ? Number(match[1]) * factor : undefined
}
