/** More different values than this are not shared: what is shared is kept as long as the source. */
const maxValues = 1000

/** Gives equal values as one: the Services of a cluster have but a few kinds of ports. */
export class SharedValues {
  readonly #values = new Map<string, unknown>()

  /** The first value that had the same JSON. It must not be changed. */
  share<Value>(value: Value): Value {
    const text = JSON.stringify(value)
    const known = this.#values.get(text)
    // What has the same JSON has the same type, as far as data go.
    if (known !== undefined) return known as Value
    if (this.#values.size < maxValues) this.#values.set(text, value)
    return value
  }
}
