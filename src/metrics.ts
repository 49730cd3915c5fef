import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { Counter, Gauge, Registry } from 'prom-client'
import type { Bus } from './bus/bus.ts'
import { type Engine, latenessQuantile } from './engine/index.ts'
import type { Connections, Entry } from './rpc/index.ts'
import type { SocketStats } from './server/socket-endpoint.ts'

export interface MetricSources {
  readonly connections: Connections
  readonly entries: ReadonlyMap<string, Entry>
  readonly engine: Engine
  readonly bus: Pick<Bus, 'dropped' | 'nodes'>
  readonly sockets: () => SocketStats
}

/** One value, or values by their label. */
type Values = number | Iterable<readonly [label: string | number, value: number]>

const QUANTILES = [0.5, 0.99]
const SECOND_NS = 1e9
/** How finely the delay of the event loop is measured. */
const LOOP_RESOLUTION_MS = 10

/**
 * Every metric, by name. The parts of Rally keep plain numbers, which are read here when somebody asks.
 *
 * The metrics of the process have the names that prom-client's own collectors use. Those collectors cannot be stopped, so
 * each server that starts in one process would leave its observers behind.
 */
export function createMetrics({ connections, entries, engine, bus, sockets }: MetricSources) {
  const registry = new Registry()
  const defining =
    (Kind: typeof Counter | typeof Gauge) =>
    (name: string, help: string, read: () => Values, label = ''): void => {
      const collect = () => {
        metric.reset()
        const values = read()
        if (typeof values === 'number') metric.inc(values)
        else for (const [of, value] of values) metric.inc({ [label]: of }, value)
      }
      const labelNames = label === '' ? [] : [label]
      const metric: Counter | Gauge = new Kind({ name, help, registers: [registry], labelNames, collect })
    }
  const gauge = defining(Gauge)
  const counter = defining(Counter)
  const perType = (name: string, help: string, read: (entry: Entry) => number) =>
    counter(name, help, () => Array.from(entries.values(), (entry) => [entry.type, read(entry)]), 'type')

  const clock = () => engine.clock.figures
  gauge('rally_sockets', 'Open sockets', () => connections.size)
  counter('rally_sockets_opened_total', 'Sockets opened since the start', () => sockets().opened)
  const closedHelp = 'Sockets closed since the start, by close code; 0 for codes that the protocol does not know'
  counter('rally_sockets_closed_total', closedHelp, () => sockets().closed, 'code')
  gauge('rally_live_matches', 'Matches that this process runs', () => engine.size)
  counter('rally_ticks_total', 'Steps of live matches', () => clock().ticks)
  const skippedHelp = 'Steps left out after the process had stalled for longer than it may catch up'
  counter('rally_skipped_ticks_total', skippedHelp, () => clock().skippedTicks)
  gauge('rally_nodes', 'Nodes that this one knows, with itself', () => bus.nodes().length + 1)
  counter('rally_bus_dropped_total', 'Messages to other nodes that were dropped', () => bus.dropped)
  const lateness = () => QUANTILES.map((quantile) => [quantile, latenessQuantile(clock().lateness, quantile)] as const)
  gauge('rally_tick_lateness_ms', 'How late steps began since the start, by quantile', lateness, 'quantile')
  perType('rally_requests_total', 'Requests, by type', (entry) => entry.calls)
  perType('rally_failed_requests_total', 'Requests answered with an error, by type', (entry) => entry.failures)
  perType('rally_request_ms_total', 'Time from request to answer, summed, by type', (entry) => entry.totalMs)

  counter('process_cpu_seconds_total', 'CPU time of the process, user and system', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss())
  const heapHelp = "Bytes in use on V8's heap, garbage included"
  gauge('nodejs_heap_size_used_bytes', heapHelp, () => process.memoryUsage().heapUsed)
  const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  delay.enable()
  const lag = () => {
    const found = QUANTILES.map((quantile) => [quantile, delay.percentile(quantile * 100) / SECOND_NS] as const)
    const most = delay.max / SECOND_NS
    delay.reset()
    return [...found, [1, most] as const]
  }
  gauge('nodejs_eventloop_lag_seconds', 'Delay of the event loop since the last scrape, by quantile', lag, 'quantile')
  let collectingMs = 0
  const collections = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) collectingMs += duration
  })
  collections.observe({ entryTypes: ['gc'] })
  counter('nodejs_gc_duration_seconds_total', 'Time spent in garbage collection', () => collectingMs / 1_000)

  return {
    /** The text that Prometheus scrapes. */
    text: () => registry.metrics(),
    /** Stops observing the process. */
    close() {
      delay.disable()
      collections.disconnect()
    },
  }
}
