import { PerformanceObserver } from 'node:perf_hooks'
import { expect, test, vi } from 'vitest'
import { startRally } from '../support/server.ts'

/** prom-client's own collectors observe for as long as the process lives: each server of a process left one behind. */
test('a stopped server does not observe the process any more', async () => {
  const observed = vi.spyOn(PerformanceObserver.prototype, 'observe')
  const disconnected = vi.spyOn(PerformanceObserver.prototype, 'disconnect')
  const rally = await startRally({ config: { adminPort: 0 } })
  const text = await (await fetch(`${rally.app.adminUrl}/metrics`)).text()
  await rally.stop()
  expect(text).toContain('rally_event_loop_lag_seconds_bucket')
  expect(observed).toHaveBeenCalledOnce()
  expect(disconnected.mock.contexts).toEqual(observed.mock.contexts)
})
