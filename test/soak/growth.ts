export interface Point {
  readonly atMs: number
  readonly value: number
}

/** By how much the straight line nearest to the points (least squares) grows from the first to the last, 0.03 is 3 %. */
export function growthOf(points: readonly Point[]): number {
  const [first] = points
  const last = points.at(-1)
  if (first === undefined || last === undefined || points.length < 3) throw new Error('a line needs 3 points or more')
  const meanAt = points.reduce((sum, { atMs }) => sum + atMs, 0) / points.length
  const meanValue = points.reduce((sum, { value }) => sum + value, 0) / points.length
  const spread = points.reduce((sum, { atMs }) => sum + (atMs - meanAt) ** 2, 0)
  const slope = points.reduce((sum, { atMs, value }) => sum + (atMs - meanAt) * (value - meanValue), 0) / spread
  const begin = meanValue + slope * (first.atMs - meanAt)
  return (slope * (last.atMs - first.atMs)) / begin
}
