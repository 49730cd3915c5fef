// How many live matches one core carries, and how late their ticks are.
//
//   npm run bench:live                     bots, then people over sockets, more and more until ticks are late
//   npm run bench:live -- --matches 1000   people over sockets in that many matches only
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { startEmbeddedPostgres } from '../src/db/embedded/embedded-postgres.ts'
import { type Mode, Players } from './live/players.ts'
import { pinSelf, type ServerProcess, startServer } from './support/server-process.ts'

const BOT_MATCHES = 200
const SETTLE_MS = 4_000
const WINDOW_MS = 8_000
/** A core carries as many matches as it can without the latest hundredth of ticks being later than this. */
const MAX_P99_MS = 5
const STEPS: Readonly<Record<Mode, readonly number[]>> = {
  inputs: [500, 1000, 1250, 1500, 1750, 2000, 2500, 3000, 4000, 5000],
  state: [200, 300, 400, 500, 750, 1000],
}

const Clock = z.object({
  ticks: z.number(),
  skippedTicks: z.number(),
  p50: z.number(),
  p99: z.number(),
  live: z.number(),
})
const Seated = z.object({ players: z.array(z.object({ matchId: z.string(), cookie: z.string() })) })

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const say = (line: string) => process.stdout.write(`${line}\n`)
const silent = () => undefined
const figure = (value: number, digits = 1) => value.toFixed(digits).padStart(7)

/**
 * Ticks, lateness and CPU of a window of time. A server that waited for its core, or players whose inputs came late and
 * then in a burst, say that the machine had other things to do: such a row says nothing of Rally.
 */
async function watch(server: ServerProcess) {
  await server.ask({ ask: 'clock' })
  const before = await server.usage()
  const waited = server.waitedMs()
  const at = performance.now()
  await pause(WINDOW_MS)
  const clock = Clock.parse(await server.ask({ ask: 'clock' }))
  const after = await server.usage()
  const ms = performance.now() - at
  return {
    ...clock,
    ms,
    cpu: (after.cpuMicros - before.cpuMicros) / 10 / ms,
    waited: ((server.waitedMs() - waited) / ms) * 100,
    rss: after.rssBytes / 2 ** 20,
  }
}

type Watched = Awaited<ReturnType<typeof watch>>

function row(name: string, seen: Watched, rest = ''): string {
  return (
    `${name.padEnd(16)} ${String(seen.live).padStart(6)} ${figure((seen.ticks * 1000) / seen.ms, 0)} ${figure(seen.p50)} ` +
    `${figure(seen.p99)} ${figure(seen.skippedTicks, 0)} ${figure(seen.cpu)} ${figure(seen.waited)} ${figure(seen.rss, 0)}${rest}`
  )
}

async function withServer(work: (server: ServerProcess) => Promise<void>): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'rally-bench-'))
  const log = { debug: silent, info: silent, warn: silent, error: silent }
  // On the core of the generator: it is the server that is measured.
  const postgres = await startEmbeddedPostgres({ dataDir, log, durable: false })
  try {
    const env = { DATABASE_URL: postgres.url, DATA_DIR: dataDir }
    const server = await startServer(fileURLToPath(new URL('live/server.ts', import.meta.url)), 0, env)
    try {
      await work(server)
    } finally {
      await server.stop()
    }
  } finally {
    await postgres.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function bots(server: ServerProcess): Promise<void> {
  await server.ask({ ask: 'bots', matches: BOT_MATCHES })
  await pause(SETTLE_MS)
  say(row('bot against bot', await watch(server)))
}

/** Adds matches step by step while the server keeps up; says how many it carried. */
async function people(server: ServerProcess, mode: Mode, steps: readonly number[]): Promise<void> {
  const players = new Players(server.port, mode)
  let carried = 0
  for (const matches of steps) {
    const more = matches - players.count / 2
    const { players: seats } = Seated.parse(await server.ask({ ask: 'seat', matches: more }))
    await players.join(seats)
    await pause(SETTLE_MS + 3_000)
    const [bytes, inputs] = [players.bytes, players.inputs]
    players.latestMs = 0
    const seen = await watch(server)
    const perPlayer = (players.bytes - bytes) / players.count / (seen.ms / 1000)
    const rate = (players.inputs - inputs) / players.count / (seen.ms / 1000)
    say(row(`people, ${mode}`, seen, ` ${figure(perPlayer, 0)} ${figure(rate)} ${figure(players.latestMs)}`))
    if (seen.p99 >= MAX_P99_MS || seen.skippedTicks > 0) break
    carried = seen.live
  }
  players.leave()
  say(`mode ${mode}: ${carried} matches on one core with p99 lateness under ${MAX_P99_MS} ms`)
}

const { values } = parseArgs({ options: { matches: { type: 'string' }, mode: { type: 'string' } } })
const only = values.matches === undefined ? undefined : [Number(values.matches)]
const modes = (['inputs', 'state'] as const).filter((mode) => values.mode === undefined || values.mode === mode)

const pinned = pinSelf(1)
say(
  `Node ${process.version}, Pong at 60 Hz, windows of ${WINDOW_MS / 1000} s${pinned ? ', server on a core of its own' : ''}`,
)
say('                  live  ticks/s  p50 ms  p99 ms skipped   CPU %  wait %     MiB     B/s   changes/s, latest ms')
if (!only) await withServer(bots)
for (const mode of modes) await withServer((server) => people(server, mode, only ?? STEPS[mode]))
