import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** `npm run fuzz`: the fuzzers of `npm test`, with many more frames and connections. `FUZZ_SEED` repeats a run. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/fuzz/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 1,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    env: {
      FUZZ_FRAMES: process.env.FUZZ_FRAMES ?? '1000000',
      FUZZ_CONNECTIONS: process.env.FUZZ_CONNECTIONS ?? '100000',
    },
  },
})
