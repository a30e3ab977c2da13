const growth = Math.log(1.02)
const smallestMs = 0.01

/** A histogram whose buckets grow by 2 %: as many requests as one likes in a few kilobytes. */
export class Latencies {
  readonly #buckets = new Uint32Array(1_000)
  #count = 0

  add(ms: number): void {
    const bucket = Math.floor(Math.log(Math.max(ms, smallestMs) / smallestMs) / growth)
    const at = Math.min(bucket, this.#buckets.length - 1)
    this.#buckets[at] = (this.#buckets[at] ?? 0) + 1
    this.#count++
  }

  /** Milliseconds that this share of the requests did not exceed. */
  quantile(share: number): number {
    let left = Math.ceil(this.#count * share)
    const bucket = this.#buckets.findIndex(count => {
      left -= count
      return left <= 0
    })
    return smallestMs * Math.exp((bucket + 1) * growth)
  }

  toString(): string {
    const shown = [0.5, 0.9, 0.99, 0.999, 1].map(share => `p${share * 100} ${this.quantile(share).toFixed(1)}`)
    return `${shown.join(', ')} ms`
  }
}
