import { defineConfig } from 'vitest/config'
import { reporters } from './test/support/reporters.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**', 'test/faults/**', 'test/extending/**', 'test/deploy/**', '**/node_modules/**'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // The files of one worker share their modules, which keep no state: loading them anew costs a second of CPU a file.
    isolate: false,
    // For two cores: most files wait for leases, timers and restarts longer than they compute.
    maxWorkers: 3,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    teardownTimeout: 20_000,
    // A shared machine may stall for seconds; what fails twice in a row is no stall.
    retry: process.env.CI ? 1 : 0,
    reporters: reporters('unit'),
  },
})
