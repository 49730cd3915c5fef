import { describe, expect, test } from 'vitest'
import { difference, Histogram, quantileOf } from '../../src/histogram.ts'
import { ReadRegistry } from '../../src/metrics/registry.ts'

test('a value belongs to the first bucket whose bound it does not exceed', () => {
  const histogram = new Histogram([1, 10])
  for (const value of [0, 1, 1.5, 10, 11]) histogram.add(value)
  expect([[...histogram.counts], histogram.sum]).toEqual([[2, 2, 1], 23.5])
})

describe('a quantile', () => {
  test('lies within its bucket, as far as its rank', () => {
    const histogram = new Histogram([1, 2, 4])
    for (const value of [1.2, 1.4, 1.6, 1.8, 3, 3]) histogram.add(value)
    expect(quantileOf(histogram, 0)).toBe(1)
    expect(quantileOf(histogram, 0.5)).toBe(1.75)
    expect(quantileOf(histogram, 1)).toBe(4)
  })

  test('is the last bound for values over it, and 0 without values', () => {
    const histogram = new Histogram([1, 2])
    expect(quantileOf(histogram, 0.99)).toBe(0)
    histogram.add(1_000)
    expect(quantileOf(histogram, 0.99)).toBe(2)
  })
})

test('two copies give what was counted between them', () => {
  const histogram = new Histogram([1])
  histogram.add(0.5)
  const before = histogram.copy()
  histogram.add(3)
  const { counts, sum } = difference(histogram.copy(), before)
  expect([[...counts], sum]).toEqual([[0, 1], 3])
})

test('Prometheus is shown seconds, and buckets that count all smaller values', async () => {
  const registry = new ReadRegistry()
  const histogram = new Histogram([5, 250])
  for (const value of [1, 5, 100, 9_000]) histogram.add(value)
  registry.histogram('wait_seconds', 'Waits', () => [[{ queue: 'a' }, histogram]], ['queue'])
  expect((await registry.text()).trim().split('\n')).toEqual([
    '# HELP wait_seconds Waits',
    '# TYPE wait_seconds histogram',
    'wait_seconds_bucket{queue="a",le="0.005"} 2',
    'wait_seconds_bucket{queue="a",le="0.25"} 3',
    'wait_seconds_bucket{queue="a",le="+Inf"} 4',
    'wait_seconds_sum{queue="a"} 9.106',
    'wait_seconds_count{queue="a"} 4',
  ])
})
