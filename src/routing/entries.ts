/** What is read of a map. */
export type Entries<Value> = Pick<ReadonlyMap<string, Value>, 'get' | 'has' | 'keys' | 'values' | 'size'>

/** A map of one entry: an empty Map takes ten times as much, and there are Ingresses by the ten thousand. */
class OneEntry<Value> implements Entries<Value> {
  readonly size = 1
  readonly #key: string
  readonly #value: Value

  constructor(key: string, value: Value) {
    this.#key = key
    this.#value = value
  }

  get(key: string): Value | undefined {
    return key === this.#key ? this.#value : undefined
  }

  has(key: string): boolean {
    return key === this.#key
  }

  keys(): MapIterator<string> {
    return [this.#key].values()
  }

  values(): MapIterator<Value> {
    return [this.#value].values()
  }
}

const nothing: Entries<never> = new Map<string, never>()

/** The same entries in little memory, for a map that is not changed any more. */
export function compactEntries<Value>(map: ReadonlyMap<string, Value>): Entries<Value> {
  if (map.size > 1) return map
  for (const [key, value] of map) return new OneEntry(key, value)
  return nothing
}
