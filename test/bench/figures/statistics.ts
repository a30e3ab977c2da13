import type { Figure } from './figure.ts'

const resamples = 2000

/** Median, ends and bootstrap interval of the values of blocks. The same values give the same figure. */
export function figureOf(values: readonly number[]): Figure {
  const sorted = [...values].sort((one, other) => one - other)
  const [low, high] = bootstrapInterval(sorted)
  return {
    median: rounded(medianOf(sorted)),
    min: rounded(sorted[0] ?? Number.NaN),
    max: rounded(sorted.at(-1) ?? Number.NaN),
    low: rounded(low),
    high: rounded(high),
    blocks: values.length,
  }
}

/** Of values in order. */
export function medianOf(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Value below which this share (0 to 1) of the values lies; NaN without values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** 95 % interval of the median. */
function bootstrapInterval(values: readonly number[]): readonly [number, number] {
  const random = generator(values.length)
  const medians: number[] = []
  for (let count = 0; count < resamples; count++) {
    const drawn = values.map(() => values[Math.floor(random() * values.length)] ?? Number.NaN)
    medians.push(medianOf(drawn.sort((one, other) => one - other)))
  }
  medians.sort((one, other) => one - other)
  return [medians[Math.floor(resamples * 0.025)] ?? Number.NaN, medians[Math.ceil(resamples * 0.975) - 1] ?? Number.NaN]
}

/** Numbers from 0 to 1 that are the same in every run: a linear congruential generator. */
function generator(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Four digits say all that a measurement can. */
function rounded(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : value
}
