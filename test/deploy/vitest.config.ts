import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { reporters } from '../support/reporters.ts'

/** What an operator does with Docker, step by step. Each step needs the ones before it. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/deploy/**/*.test.ts'],
    pool: 'forks',
    bail: 1,
    testTimeout: 420_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    reporters: reporters('deploy'),
  },
})
