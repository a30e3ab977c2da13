/** Values below this are exact; each doubling above has half as many buckets, so a value is known to within 1/128. */
const exactBelow = 256
const maxDoublings = 40

/** Counts of whole numbers from 0 on (here: microseconds), exact below 256 and to within 1 % above. */
export class Histogram {
  readonly #counts = new Float64Array(exactBelow * maxDoublings)
  #total = 0
  #max = 0

  record(value: number): void {
    const whole = Math.max(0, Math.round(value))
    const at = bucketOf(whole)
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    this.#total++
    if (whole > this.#max) this.#max = whole
  }

  get total(): number {
    return this.#total
  }

  get max(): number {
    return this.#max
  }

  /** The least value that so many percent of all do not exceed; NaN without any. */
  percentile(percent: number): number {
    if (this.#total === 0) return Number.NaN
    let left = Math.max(1, Math.ceil((percent / 100) * this.#total))
    for (let at = 0; at < this.#counts.length; at++) {
      left -= this.#counts[at] ?? 0
      if (left <= 0) return Math.min(this.#max, highestOf(at))
    }
    return this.#max
  }
}

function bucketOf(value: number): number {
  if (value < exactBelow) return value
  const doublings = Math.floor(Math.log2(value)) - Math.log2(exactBelow) + 1
  const step = 2 ** doublings
  const half = exactBelow / 2
  return Math.min(exactBelow + (doublings - 1) * half + Math.floor(value / step) - half, exactBelow * maxDoublings - 1)
}

/** The highest value that goes into a bucket. */
function highestOf(at: number): number {
  if (at < exactBelow) return at
  const half = exactBelow / 2
  const doublings = Math.floor((at - exactBelow) / half) + 1
  const step = 2 ** doublings
  return (((at - exactBelow) % half) + half + 1) * step - 1
}
