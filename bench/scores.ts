// How long leaderboards take at a million players, through a socket of a server in production: the top 100, 20 around a
// player, a rank, and a submission while others submit to the same mode. Prints the plans, too.
//
//   npm run bench:scores
//   npm run bench:scores -- --spread wide    scores over the whole range, so that counts share nothing
//   npm run bench:scores -- --players 10000
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startEmbeddedPostgres } from '../src/db/embedded/embedded-postgres.ts'
import { AROUND, RANK, TOP } from '../src/modules/scores/read-leaderboard.ts'
import { Asker } from './db/asker.ts'
import { createUsers, productionOn } from './db/scene.ts'
import { explain, fillLeaderboard, GAME_MODE, spreads } from './scores/scene.ts'
import { startServer } from './support/server-process.ts'

/** Sockets, each with one request under way. */
const READERS = 2
const WRITERS = 16
/** Requests of each kind that one user makes: fewer than the limits of the methods. */
const READS = 100
const WRITES = 100
/** Users for each kind: so many requests in all. */
const USERS = 40

const { values } = parseArgs({
  options: { players: { type: 'string', default: '1000000' }, spread: { type: 'string', default: 'game' } },
})
const players = Number(values.players)
const spread = values.spread === 'wide' ? 'wide' : 'game'
const say = (line: string) => process.stdout.write(`${line}\n`)
const random = (max: number) => Math.floor(Math.random() * max)
/** A score as the leaderboard has them. */
const anyScore = () => (spread === 'wide' ? random(2 ** 40) : Math.floor(-Math.log(1 - Math.random()) * 20_000))

/** Runs `work` for each item, so many at once. */
async function each<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const run = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, run))
}

async function measure(
  what: string,
  askers: readonly Asker[],
  { atOnce, times, type }: { atOnce: number; times: number; type: string },
  data: () => object,
): Promise<void> {
  const took: number[] = []
  await each(askers, atOnce, async (asker) => {
    for (let n = 0; n < times; n++) {
      const began = performance.now()
      await asker.ask(type, { gameMode: GAME_MODE, ...data() })
      took.push(performance.now() - began)
    }
  })
  took.sort((a, b) => a - b)
  const at = (share: number) => (took[Math.ceil(took.length * share) - 1] ?? Number.NaN).toFixed(1).padStart(7)
  say(`${what.padEnd(34)} ${at(0.5)} ${at(0.99)} ${at(1)}   ${took.length}`)
}

const dataDir = mkdtempSync(join(tmpdir(), 'rally-bench-'))
const silent = () => undefined
const log = { debug: silent, info: silent, warn: silent, error: silent }
const postgres = await startEmbeddedPostgres({ dataDir, log, durable: false })
const env = productionOn(postgres.url, dataDir)
const stopping: (() => Promise<void>)[] = [() => postgres.stop()]
try {
  const server = await startServer(fileURLToPath(new URL('db/rally-server.ts', import.meta.url)), 0, env)
  stopping.unshift(() => server.stop())
  const users = await createUsers(env, USERS)
  const began = performance.now()
  await fillLeaderboard(postgres.url, players, users, spread)
  say(
    `${players} players with scores ${spreads[spread]}, filled in ${((performance.now() - began) / 1000).toFixed(0)} s`,
  )
  const askers = await Promise.all(users.map((user, place) => Asker.open(server.port, user, place)))
  const reads = { atOnce: READERS, times: READS }
  say(`Node ${process.version}, through a socket, ms              p50     p99     max   requests`)
  await measure('warm-up', askers.slice(0, 4), { ...reads, type: 'scores.rank' }, () => ({ score: anyScore() }))
  const top = () => ({ limit: 100 })
  await measure('top 100', askers, { ...reads, type: 'scores.leaderboard' }, top)
  const around = () => ({ around: 'me', limit: 20 })
  await measure('20 around me', askers, { ...reads, type: 'scores.leaderboard' }, around)
  await measure('rank of a score', askers.slice(4), { ...reads, type: 'scores.rank' }, () => ({ score: anyScore() }))
  const writes = { atOnce: WRITERS, times: WRITES, type: 'scores.submit' }
  await measure(`submit, ${WRITERS} at once`, askers, writes, () => ({ score: anyScore() }))
  for (const asker of askers) asker.close()
  const middle = spread === 'wide' ? 2 ** 39 : 14_000
  for (const [what, { text }, given] of [
    ['top 100', TOP, [GAME_MODE, 'all', 100]],
    ['20 around me', AROUND, [GAME_MODE, 'all', 19, users[0]?.id]],
    ['rank of a score', RANK, [GAME_MODE, 'all', middle]],
  ] as const) {
    say(`\n${what}\n${await explain(postgres.url, text, given)}`)
  }
} finally {
  for (const stop of stopping) await stop()
  rmSync(dataDir, { recursive: true, force: true })
}
