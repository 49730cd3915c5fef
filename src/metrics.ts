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

export interface Metrics {
  /** The text that Prometheus scrapes. */
  text(): Promise<string>
  /** Stops observing the process. */
  close(): void
}

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
export function createMetrics({ connections, entries, engine, bus, sockets }: MetricSources): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const gauge = (name: string, help: string, read: (metric: Gauge) => void, labelNames: string[] = []) => {
    const metric: Gauge = new Gauge({ name, help, registers, labelNames, collect: () => read(metric) })
  }
  const counter = (name: string, help: string, read: (metric: Counter) => void, labelNames: string[] = []) => {
    const collect = () => {
      metric.reset()
      read(metric)
    }
    const metric: Counter = new Counter({ name, help, registers, labelNames, collect })
  }
  const perType = (name: string, help: string, read: (entry: Entry) => number) => {
    const readAll = (metric: Counter) => {
      for (const entry of entries.values()) metric.inc({ type: entry.type }, read(entry))
    }
    counter(name, help, readAll, ['type'])
  }

  const clock = () => engine.clock.figures
  gauge('rally_sockets', 'Open sockets', (metric) => metric.set(connections.size))
  counter('rally_sockets_opened_total', 'Sockets opened since the start', (metric) => metric.inc(sockets().opened))
  counter(
    'rally_sockets_closed_total',
    'Sockets closed since the start, by close code; 0 for codes that the protocol does not know',
    (metric) => {
      for (const [code, count] of sockets().closed) metric.inc({ code }, count)
    },
    ['code'],
  )
  gauge('rally_live_matches', 'Matches that this process runs', (metric) => metric.set(engine.size))
  counter('rally_ticks_total', 'Steps of live matches', (metric) => metric.inc(clock().ticks))
  counter(
    'rally_skipped_ticks_total',
    'Steps left out after the process had stalled for longer than it may catch up',
    (metric) => metric.inc(clock().skippedTicks),
  )
  gauge('rally_nodes', 'Nodes that this one knows, with itself', (metric) => metric.set(bus.nodes().length + 1))
  counter('rally_bus_dropped_total', 'Messages to other nodes that were dropped', (metric) => metric.inc(bus.dropped))
  gauge(
    'rally_tick_lateness_ms',
    'How late steps began since the start, by quantile',
    (metric) => {
      for (const quantile of QUANTILES) metric.set({ quantile }, latenessQuantile(clock().lateness, quantile))
    },
    ['quantile'],
  )
  perType('rally_requests_total', 'Requests, by type', (entry) => entry.calls)
  perType('rally_failed_requests_total', 'Requests answered with an error, by type', (entry) => entry.failures)
  perType('rally_request_ms_total', 'Time from request to answer, summed, by type', (entry) => entry.totalMs)

  counter('process_cpu_seconds_total', 'CPU time of the process, user and system', (metric) => {
    const { user, system } = process.cpuUsage()
    metric.inc((user + system) / 1e6)
  })
  gauge('process_resident_memory_bytes', 'Resident memory', (metric) => metric.set(process.memoryUsage.rss()))
  gauge('nodejs_heap_size_used_bytes', "Bytes in use on V8's heap, garbage included", (metric) =>
    metric.set(process.memoryUsage().heapUsed),
  )
  const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  delay.enable()
  gauge(
    'nodejs_eventloop_lag_seconds',
    'Delay of the event loop since the last scrape, by quantile',
    (metric) => {
      for (const quantile of QUANTILES) metric.set({ quantile }, delay.percentile(quantile * 100) / SECOND_NS)
      metric.set({ quantile: 1 }, delay.max / SECOND_NS)
      delay.reset()
    },
    ['quantile'],
  )
  let collectingMs = 0
  const collections = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) collectingMs += duration
  })
  collections.observe({ entryTypes: ['gc'] })
  counter('nodejs_gc_duration_seconds_total', 'Time spent in garbage collection', (metric) =>
    metric.inc(collectingMs / 1_000),
  )

  return {
    text: () => registry.metrics(),
    close() {
      delay.disable()
      collections.disconnect()
    },
  }
}
