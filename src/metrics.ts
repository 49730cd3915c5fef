import { Counter, Gauge, Registry } from 'prom-client'
import { type Engine, latenessQuantile } from './engine/index.ts'
import { collectProcessMetrics } from './process-metrics.ts'
import type { Connections, Entry } from './rpc/index.ts'
import type { SocketStats } from './server/index.ts'

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
