import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { Counter, Gauge, Registry } from 'prom-client'
import { type Engine, latenessQuantile } from './engine/index.ts'
import type { Connections, Entry } from './rpc/index.ts'
import type { SocketStats } from './server/socket-endpoint.ts'

export interface MetricSources {
  readonly connections: Connections
  readonly entries: ReadonlyMap<string, Entry>
  readonly engine: Engine
  readonly sockets: () => SocketStats
}

export interface Metrics {
  /** The text that Prometheus scrapes. */
  text(): Promise<string>
  /** Stops observing the process. */
  close(): void
}

/**
 * Every metric of the process, by name. Nothing is counted here while messages flow: the parts keep plain numbers,
 * which are read when somebody asks.
 */
export function createMetrics({ connections, entries, engine, sockets }: MetricSources): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const close = collectProcessMetrics(registry)

  new Gauge({
    name: 'rally_sockets',
    help: 'Open sockets',
    registers,
    collect() {
      this.set(connections.size)
    },
  })
  new Counter({
    name: 'rally_sockets_opened_total',
    help: 'Sockets opened since the start',
    registers,
    collect() {
      this.reset()
      this.inc(sockets().opened)
    },
  })
  new Counter({
    name: 'rally_sockets_closed_total',
    help: 'Sockets closed since the start, by close code; 0 for codes that the protocol does not know',
    labelNames: ['code'] as const,
    registers,
    collect() {
      this.reset()
      for (const [code, count] of sockets().closed) this.inc({ code }, count)
    },
  })
  new Gauge({
    name: 'rally_live_matches',
    help: 'Matches that this process runs',
    registers,
    collect() {
      this.set(engine.size)
    },
  })
  new Counter({
    name: 'rally_ticks_total',
    help: 'Steps of live matches',
    registers,
    collect() {
      this.reset()
      this.inc(engine.clock.figures.ticks)
    },
  })
  new Counter({
    name: 'rally_skipped_ticks_total',
    help: 'Steps left out after the process had stalled for longer than it may catch up',
    registers,
    collect() {
      this.reset()
      this.inc(engine.clock.figures.skippedTicks)
    },
  })
  new Gauge({
    name: 'rally_tick_lateness_ms',
    help: 'How late steps began since the start, by quantile',
    labelNames: ['quantile'] as const,
    registers,
    collect() {
      const { lateness } = engine.clock.figures
      for (const quantile of [0.5, 0.99]) this.set({ quantile }, latenessQuantile(lateness, quantile))
    },
  })
  perType('rally_requests_total', 'Requests, by type', (entry) => entry.calls)
  perType('rally_failed_requests_total', 'Requests answered with an error, by type', (entry) => entry.failures)
  perType('rally_request_ms_total', 'Time from request to answer, summed, by type', (entry) => entry.totalMs)

  return { text: () => registry.metrics(), close }

  function perType(name: string, help: string, read: (entry: Entry) => number): void {
    new Counter({
      name,
      help,
      labelNames: ['type'] as const,
      registers,
      collect() {
        this.reset()
        for (const entry of entries.values()) this.inc({ type: entry.type }, read(entry))
      },
    })
  }
}

const SECOND_NS = 1e9
/** How finely the delay of the event loop is measured. */
const LOOP_RESOLUTION_MS = 10

/**
 * The metrics of the process itself: CPU, memory, garbage collection and the delay of the event loop, under the names
 * that prom-client's own collectors use. Those cannot be stopped, and each start of a server in one process would
 * leave its observers behind.
 *
 * @returns what stops observing
 */
function collectProcessMetrics(registry: Registry): () => void {
  const registers = [registry]

  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process, user and system',
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / 1e6)
    },
  })
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory',
    registers,
    collect() {
      this.set(process.memoryUsage.rss())
    },
  })
  new Gauge({
    name: 'nodejs_heap_size_used_bytes',
    help: "What lives in V8's heap, and what has not been collected yet",
    registers,
    collect() {
      this.set(process.memoryUsage().heapUsed)
    },
  })

  const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  delay.enable()
  new Gauge({
    name: 'nodejs_eventloop_lag_seconds',
    help: 'Delay of the event loop since the last scrape, by quantile',
    labelNames: ['quantile'] as const,
    registers,
    collect() {
      for (const quantile of [0.5, 0.99]) this.set({ quantile }, delay.percentile(quantile * 100) / SECOND_NS)
      this.set({ quantile: 1 }, delay.max / SECOND_NS)
      delay.reset()
    },
  })

  const collecting = new Counter({
    name: 'nodejs_gc_duration_seconds_total',
    help: 'Time spent in garbage collection',
    registers,
  })
  const collections = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) collecting.inc(duration / 1000)
  })
  collections.observe({ entryTypes: ['gc'] })

  return () => {
    delay.disable()
    collections.disconnect()
  }
}
