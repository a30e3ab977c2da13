import type { Figures, Measurement, Ratio } from './figure.ts'
import { figureOf } from './statistics.ts'

/** What one sample gives: values by the name of the figure. */
export type Sample = Readonly<Record<string, number>>

/** Samples of each contender, block by block; a contender comes twice in a block. */
export type Blocks = readonly ReadonlyMap<string, readonly Sample[]>[]

/** Contenders in the order of one block: there and back again, A B B A, so that a slow drift weighs on all alike. */
export function orderOfBlock(contenders: readonly string[]): readonly string[] {
  return [...contenders, ...[...contenders].reverse()]
}

export interface FigureRow {
  readonly name: string
  readonly unit: string
  /** Whether a ratio between contenders says something. */
  readonly compared: boolean
}

/** Which contender is compared with which. */
export interface Pair {
  readonly of: string
  readonly to: string
}

/** Figures of blocks: of each contender over blocks, and ratios within each block over blocks. */
export function figuresOfBlocks(
  blocks: Blocks,
  rows: readonly FigureRow[],
  pairs: readonly Pair[],
): Pick<Figures, 'measurements' | 'ratios'> {
  const names = [...new Set(blocks.flatMap(block => [...block.keys()]))]
  const measurements = names.flatMap(contender => rows.flatMap(row => measurementOfRow(blocks, contender, row)))
  const compared = rows.filter(row => row.compared)
  const ratios = pairs.flatMap(pair => compared.flatMap(row => ratioOfRow(blocks, pair, row)))
  return { measurements, ratios }
}

function measurementOfRow(blocks: Blocks, contender: string, { name, unit }: FigureRow): readonly Measurement[] {
  const values = blocks.map(block => meanOf(block.get(contender), name)).filter(value => value !== undefined)
  return values.length === 0 ? [] : [{ contender, name, unit, figure: figureOf(values) }]
}

function ratioOfRow(blocks: Blocks, { of, to }: Pair, { name }: FigureRow): readonly Ratio[] {
  const values: number[] = []
  for (const block of blocks) {
    const above = meanOf(block.get(of), name)
    const below = meanOf(block.get(to), name)
    if (above !== undefined && below !== undefined && below > 0) values.push(above / below)
  }
  return values.length === 0 ? [] : [{ name, of, to, figure: figureOf(values) }]
}

function meanOf(samples: readonly Sample[] | undefined, name: string): number | undefined {
  const values = (samples ?? []).map(sample => sample[name]).filter(value => value !== undefined)
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length
}
