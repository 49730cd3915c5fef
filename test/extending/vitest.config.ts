import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { reporters } from '../support/reporters.ts'

/** What the documents tell others to do, done: it builds copies of the repository, and packages. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/extending/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 240_000,
    hookTimeout: 240_000,
    teardownTimeout: 20_000,
    // A shared machine may stall for seconds; what fails twice in a row is no stall.
    retry: process.env.CI ? 1 : 0,
    reporters: reporters('extending'),
  },
})
