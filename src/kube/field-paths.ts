import type { FieldsV1 } from '../api/kubernetes.ts'

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>

export function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The paths within a place of managed fields (`f:`, `k:`, `v:`), without the dot that stands for the place itself. */
export function ownedWithin(fields: FieldsV1): string[] {
  return Object.keys(fields).filter(path => path !== '.')
}

/**
 * The item of a list that a `k:` path selects. With `orDefault`, a key that the item does not have matches too, for it
 * may have come by default (`protocol` of a port); an item that has it is preferred.
 */
export function findItem(list: readonly unknown[], selector: Json, orDefault = false): Json | undefined {
  const keys = Object.entries(selector)
  const items = list.filter(isMap)
  const exact = items.find(item => keys.every(([name, value]) => item[name] === value))
  if (exact || !orDefault) return exact
  return items.find(item => keys.every(([name, value]) => item[name] === value || item[name] === undefined))
}
