/** A straight line through measurements. */
export interface Trend {
  /** What is added in one unit of time. */
  readonly slope: number
  /** Of the slope. */
  readonly standardError: number
}

/** The least-squares line through `points`. */
export function trendOf(points: readonly { readonly at: number; readonly value: number }[]): Trend {
  const count = points.length
  const meanAt = points.reduce((sum, { at }) => sum + at, 0) / count
  const meanValue = points.reduce((sum, { value }) => sum + value, 0) / count
  const spread = points.reduce((sum, { at }) => sum + (at - meanAt) ** 2, 0)
  const slope = points.reduce((sum, { at, value }) => sum + (at - meanAt) * (value - meanValue), 0) / spread
  const residual = points.reduce((sum, { at, value }) => sum + (value - meanValue - slope * (at - meanAt)) ** 2, 0)
  return { slope, standardError: Math.sqrt(residual / (count - 2) / spread) }
}
