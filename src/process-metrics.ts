import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from 'prom-client'

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
export function collectProcessMetrics(registry: Registry): () => void {
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
