import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { reporters } from '../support/reporters.ts'

/** The tests that need a browser and the built page. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/e2e/**/*.test.ts', 'test/determinism/**/*.browser.ts'],
    globalSetup: ['test/e2e/support/global-setup.ts', 'test/support/global-setup.ts'],
    pool: 'forks',
    // Each file has a server, a browser and a few pages of its own.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 30_000,
    teardownTimeout: 20_000,
    // A shared machine may stall for seconds; what fails twice in a row is no stall.
    retry: process.env.CI ? 1 : 0,
    reporters: reporters('e2e'),
  },
})
