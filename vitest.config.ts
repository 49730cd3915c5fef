import { defineConfig } from 'vitest/config'
import { reporters } from './test/support/reporters.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**', 'test/attack/**', '**/node_modules/**'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // Each file drives servers, sockets and a Postgres that want the cores too.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    teardownTimeout: 20_000,
    // A shared machine may stall for seconds; what fails twice in a row is no stall.
    retry: process.env.CI ? 1 : 0,
    reporters: reporters('unit'),
  },
})
