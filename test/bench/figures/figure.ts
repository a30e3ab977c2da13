/** One measured number with its spread over the blocks of a run. What it is of, and its unit, stand beside it. */
export interface Figure {
  readonly median: number
  readonly min: number
  readonly max: number
  /** 95 % interval of the median, by bootstrap over the blocks; with few blocks it is no more than a hint. */
  readonly low: number
  readonly high: number
  /** Blocks that it was taken from. */
  readonly blocks: number
}

/** A figure of one contender, such as `CPU per request` of nginx in `µs`. */
export interface Measurement {
  readonly contender: string
  readonly name: string
  readonly unit: string
  readonly figure: Figure
}

/** How many times the figure of `to` the figure of `of` is, taken within each block. */
export interface Ratio {
  readonly name: string
  readonly of: string
  readonly to: string
  readonly figure: Figure
}

/** Requests, handshakes or messages that did not end as they should. */
export interface Failure {
  readonly contender: string
  readonly count: number
  /** What happened, such as `status`, `reset` or `wrong answer`. */
  readonly what: string
}

/** What a workload gives. */
export interface Figures {
  readonly measurements: readonly Measurement[]
  readonly ratios: readonly Ratio[]
  readonly failures: readonly Failure[]
  /** What a reader must know to judge the figures, one sentence each. */
  readonly remarks: readonly string[]
}

export function measurementOf(figures: Figures, contender: string, name: string): Figure | undefined {
  return figures.measurements.find(one => one.contender === contender && one.name === name)?.figure
}

export function ratioOf(figures: Figures, name: string, pair: { readonly of: string; readonly to: string }) {
  return figures.ratios.find(one => one.name === name && one.of === pair.of && one.to === pair.to)?.figure
}
