import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { HistogramCounts } from '../histogram.ts'

type Labels = Readonly<Record<string, string | number>>
/** One value, or one for each combination of labels. */
type Read<Value> = () => Value | Iterable<readonly [Labels, Value]> | Promise<Value>

const MS_PER_SECOND = 1_000

/** Metrics whose values are read from elsewhere whenever somebody asks. */
export class ReadRegistry {
  readonly #registry = new Registry()

  /** What may go up and down. */
  gauge(name: string, help: string, read: Read<number>, labelNames: readonly string[] = []): void {
    this.#define(Gauge, name, help, read, labelNames)
  }

  /** What only grows. `name` ends in `_total`. */
  counter(name: string, help: string, read: Read<number>, labelNames: readonly string[] = []): void {
    this.#define(Counter, name, help, read, labelNames)
  }

  /** Times. The histograms have them in ms; `name` ends in `_seconds`, and so they are shown. */
  histogram(name: string, help: string, read: Read<HistogramCounts>, labelNames: readonly string[] = []): void {
    const metric = new TimeHistogram(name, help, labelNames, read)
    this.#registry.registerMetric(metric)
  }

  /** The text that Prometheus scrapes. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #define(
    Kind: typeof Counter | typeof Gauge,
    name: string,
    help: string,
    read: Read<number>,
    labelNames: readonly string[],
  ): void {
    const collect = async () => {
      const values = await read()
      metric.reset()
      if (typeof values === 'number') metric.inc(values)
      else for (const [labels, value] of values) metric.inc(labels, value)
    }
    const metric: Counter | Gauge = new Kind({ name, help, registers: [this.#registry], labelNames, collect })
  }
}

/** prom-client counts by itself. This one shows what was counted elsewhere. */
class TimeHistogram extends Histogram {
  readonly #name: string
  readonly #help: string
  readonly #read: Read<HistogramCounts>

  constructor(name: string, help: string, labelNames: readonly string[], read: Read<HistogramCounts>) {
    super({ name, help, labelNames, registers: [] })
    this.#name = name
    this.#help = help
    this.#read = read
  }

  /** What prom-client's registry calls, and its own `get`. */
  async getForPromString() {
    const read = await this.#read()
    const all = 'bounds' in read ? [[{}, read] as const] : [...read]
    const values = all.flatMap(([labels, counts]) => this.#values(labels, counts))
    return { name: this.#name, help: this.#help, type: 'histogram', values }
  }

  #values(labels: Labels, { bounds, counts, sum }: HistogramCounts) {
    let count = 0
    const buckets = Array.from(counts, (own, bucket) => {
      count += own
      const bound = bounds[bucket]
      const le = bound === undefined ? '+Inf' : bound / MS_PER_SECOND
      return { metricName: `${this.#name}_bucket`, labels: { ...labels, le }, value: count }
    })
    return [
      ...buckets,
      { metricName: `${this.#name}_sum`, labels, value: sum / MS_PER_SECOND },
      { metricName: `${this.#name}_count`, labels, value: count },
    ]
  }
}
