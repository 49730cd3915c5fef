/** What a histogram has counted. */
export interface HistogramCounts {
  /** The upper bounds of the buckets, ascending. A value belongs to the first bucket whose bound it does not exceed. */
  readonly bounds: readonly number[]
  /** How many values each bucket has. There is one more than there are bounds, for all greater values. */
  readonly counts: Float64Array
  readonly sum: number
}

/** Counts values in fixed buckets. Nothing is allocated for a value, so it can be used for every request. */
export class Histogram implements HistogramCounts {
  readonly bounds: readonly number[]
  readonly counts: Float64Array
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  add(value: number): void {
    let bucket = 0
    while (value > (this.bounds[bucket] ?? Number.POSITIVE_INFINITY)) bucket++
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1
    this.sum += value
  }

  /** A copy, to compare with later. */
  copy(): HistogramCounts {
    return { bounds: this.bounds, counts: this.counts.slice(), sum: this.sum }
  }
}

/** What `later` has counted since `earlier`, which is an older copy of the same histogram. */
export function difference(later: HistogramCounts, earlier: HistogramCounts): HistogramCounts {
  const counts = later.counts.map((count, bucket) => count - (earlier.counts[bucket] ?? 0))
  return { bounds: later.bounds, counts, sum: later.sum - earlier.sum }
}

/**
 * A quantile (0 to 1), with the values of a bucket spread evenly over it, as Prometheus' `histogram_quantile` does. The last
 * bound for values over that; 0 when there is no value.
 */
export function quantileOf({ bounds, counts }: HistogramCounts, quantile: number): number {
  const rank = quantile * counts.reduce((sum, count) => sum + count, 0)
  let seen = 0
  let lower = 0
  for (const [bucket, upper] of bounds.entries()) {
    const count = counts[bucket] ?? 0
    if (count > 0 && seen + count >= rank) return lower + (upper - lower) * ((rank - seen) / count)
    seen += count
    lower = upper
  }
  return seen < rank ? lower : 0
}

/** Bounds for how long something waits for its turn or its answer, ms. */
export const WAIT_MS: readonly number[] = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]
