import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { reporters } from '../support/reporters.ts'

/** The tests that load a server to its limits, or take away what it needs. They run one after another, as they measure what a player notices. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/faults/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    // A shared machine may stall for seconds; what fails twice in a row is no stall.
    retry: 1,
    reporters: reporters('faults'),
  },
})
