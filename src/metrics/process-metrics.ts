import { readdirSync, readFileSync } from 'node:fs'
import { PerformanceObserver } from 'node:perf_hooks'
import { Histogram } from '../histogram.ts'
import type { ReadRegistry } from './registry.ts'

/** A timer of this period measures how late the event loop comes to it. */
const LAG_EVERY_MS = 20
const LAG_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000]
const MICROS_PER_SECOND = 1e6

/**
 * The metrics of the process. They have the names of prom-client's own collectors where they mean the same. Those collectors
 * cannot be stopped, so each server that starts in one process would leave its observers behind.
 *
 * @returns stops observing
 */
export function addProcessMetrics(registry: ReadRegistry): () => void {
  const startedAt = Date.now() / 1_000 - process.uptime()
  registry.gauge('process_start_time_seconds', 'When the process started, in seconds since the epoch', () => startedAt)
  registry.counter('process_cpu_seconds_total', 'CPU time of the process, user and system', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / MICROS_PER_SECOND
  })
  registry.gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss())
  registry.gauge('process_open_fds', 'Open files and sockets; 0 where the system does not tell', openFiles)
  const most = mostFiles()
  const mostHelp = 'Files and sockets that may be open (ulimit -n); 0 where the system does not tell'
  registry.gauge('process_max_fds', mostHelp, () => most)
  const heapHelp = "Bytes in use on V8's heap, garbage included"
  registry.gauge('nodejs_heap_size_used_bytes', heapHelp, () => process.memoryUsage().heapUsed)
  const externalHelp = "Bytes of buffers and other objects outside of V8's heap"
  registry.gauge('nodejs_external_memory_bytes', externalHelp, () => process.memoryUsage().external)

  const lag = new Histogram(LAG_MS)
  let dueAt = performance.now() + LAG_EVERY_MS
  const timer = setInterval(() => {
    const now = performance.now()
    lag.add(Math.max(0, now - dueAt))
    dueAt = now + LAG_EVERY_MS
  }, LAG_EVERY_MS).unref()
  const lagHelp = `How late the event loop comes to a timer of ${LAG_EVERY_MS} ms`
  registry.histogram('rally_event_loop_lag_seconds', lagHelp, () => lag)

  let collectingMs = 0
  const collections = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) collectingMs += duration
  })
  collections.observe({ entryTypes: ['gc'] })
  registry.counter('nodejs_gc_duration_seconds_total', 'Time spent in garbage collection', () => collectingMs / 1_000)

  return () => {
    clearInterval(timer)
    collections.disconnect()
  }
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}

function mostFiles(): number {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
