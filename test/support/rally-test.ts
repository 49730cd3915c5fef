import { test as base } from 'vitest'
import type { Config } from '../../src/config.ts'
import { type RallyOptions, register, startRally } from './server.ts'

/** Times of matches: short enough to wait for, and long enough for a test's next step. */
export function matchTimes(times: Partial<Config['matches']> = {}): Config['matches'] {
  return {
    countdownMs: 300,
    comeBackMs: 1_500,
    emptyMs: 60_000,
    maxWaitMs: 900_000,
    maxTurnMs: 300_000,
    maxActive: 10,
    ...times,
  }
}

/** `test` for a file whose tests share one Rally, its database and its players: each is made when first asked for. */
export function rallyTest(options: RallyOptions = {}) {
  return base
    .extend('options', { scope: 'file' }, options)
    .extend('rally', { scope: 'file' }, async ({ options }, { onCleanup }) => {
      const rally = await startRally(options)
      onCleanup(() => rally.stop())
      return rally
    })
    .extend('database', { scope: 'file' }, ({ rally }) => rally.database.open())
    .extend('ada', { scope: 'file' }, ({ rally }) => register(rally.url, 'ada'))
    .extend('ben', { scope: 'file' }, ({ rally }) => register(rally.url, 'ben'))
    .extend('cem', { scope: 'file' }, ({ rally }) => register(rally.url, 'cem'))
    .extend('dee', { scope: 'file' }, ({ rally }) => register(rally.url, 'dee'))
}
