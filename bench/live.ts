// How many live matches one core carries, and how late their ticks are.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { startEmbeddedPostgres } from '../src/db/embedded-postgres.ts'
import { pinSelf, startServer } from './support/server-process.ts'

const BOT_MATCHES = 200
const SETTLE_MS = 3_000
const WINDOW_MS = 10_000

const Clock = z.object({
  ticks: z.number(),
  skippedTicks: z.number(),
  p50: z.number(),
  p99: z.number(),
  live: z.number(),
})

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const say = (line: string) => process.stdout.write(`${line}\n`)
const silent = () => undefined

const dataDir = mkdtempSync(join(tmpdir(), 'rally-bench-'))
pinSelf(1)
const log = { debug: silent, info: silent, warn: silent, error: silent }
const postgres = await startEmbeddedPostgres({ dataDir, log, durable: false })
const server = await startServer(fileURLToPath(new URL('live/server.ts', import.meta.url)), 0, {
  DATABASE_URL: postgres.url,
  DATA_DIR: dataDir,
})
try {
  await server.ask({ ask: 'bots', matches: BOT_MATCHES })
  await pause(SETTLE_MS)
  await server.ask({ ask: 'clock' })
  const before = await server.usage()
  await pause(WINDOW_MS)
  const clock = Clock.parse(await server.ask({ ask: 'clock' }))
  const after = await server.usage()
  const cpu = (after.cpuMicros - before.cpuMicros) / 1000 / WINDOW_MS
  say(`Node ${process.version}, server on one core, Pong at 60 Hz`)
  say(
    `bot against bot: ${clock.live} matches, ${Math.round((clock.ticks * 1000) / WINDOW_MS)} ticks/s, ` +
      `lateness p50 ${clock.p50.toFixed(1)} ms, p99 ${clock.p99.toFixed(1)} ms, ` +
      `skipped ${clock.skippedTicks}, CPU ${(cpu * 100).toFixed(1)} %`,
  )
} finally {
  await server.stop()
  await postgres.stop()
  rmSync(dataDir, { recursive: true, force: true })
}
