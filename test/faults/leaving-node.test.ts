import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connectFour } from '../../src/games/connect-four/index.ts'
import { pong } from '../../src/games/pong/index.ts'
import { createCookies } from '../../src/server/session-cookie.ts'
import { clientOf, type RallyClient } from '../netcode/players.ts'
import { ServerProcess } from '../recovery/server-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { execute } from '../support/postgres.ts'
import { needsRedis, startRedis } from '../support/redis.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { figure } from './figure.ts'
import { insertUsers } from './users.ts'

// SIGTERM in the middle of 50 live matches: half of them Pong, which ends by itself, half of them Connect Four.

const MATCHES = 50
/** Longer than two points of Pong take. */
const DRAIN_SECONDS = 14
const secret = () => randomBytes(48).toString('base64')
const COOKIE_SECRET = secret()
const JWT_SECRET = secret()
/** What a proxy asks `/readyz` for. */
const READY_EVERY_MS = 50
/** Half of the time that a player has to come back. The figure says how long it was. */
const AWAY_MS = 15_000
const PATIENT = { timeout: 30_000, interval: 50 }

interface Player {
  readonly client: RallyClient
  /** How long its longest time without a socket was, ms. */
  longestAwayMs: number
  /** How its match ended, as it was told. */
  told: string | undefined
  /** In Connect Four, from now on it moves when it is its turn. */
  startMoving(): void
}

async function startNode(database: TestDatabase, environment: Record<string, string> = {}): Promise<ServerProcess> {
  const node = await ServerProcess.create({
    DATABASE_URL: database.url,
    COOKIE_SECRET,
    JWT_SECRET,
    DRAIN_SECONDS: `${DRAIN_SECONDS}`,
    DRAIN_GRACE_MS: '1000',
    MATCH_COUNTDOWN_MS: '300',
    LOG_LEVEL: 'error',
    ...environment,
  })
  onTestFinished(() => node[Symbol.asyncDispose]())
  await node.start()
  return node
}

/** Users with a session each; gives their cookies. */
async function signIn({ url }: TestDatabase, count: number): Promise<string[]> {
  await insertUsers(url, count)
  const cookies = createCookies(new TextEncoder().encode(COOKIE_SECRET), false)
  return Array.from({ length: count }, (_, n) => {
    const setCookie = cookies.session(`user-${n}`, `session-${n}`, Date.now() + 3_600_000)
    return setCookie.slice(0, setCookie.indexOf(';'))
  })
}

/** Two players in a match, in the order of their seats. */
async function startMatch(url: string, cookies: readonly string[], isPong: boolean): Promise<Player[]> {
  const clients = cookies.map((cookie) => {
    const client = clientOf(url, { id: '', username: '', secret: '', recoveryCodes: [], cookie })
    onTestFinished(() => client.close())
    return client
  })
  const [first, second] = clients
  if (!first || !second) throw new Error('too few players')
  const { code } = isPong
    ? await first.matches.create({ game: 'pong', mode: 'casual', options: { pointsToWin: 2 } })
    : await first.matches.create({ game: 'connect-four', mode: 'casual', options: { first: 0 } })
  const { id } = await second.matches.join({ code })
  return clients.map((client, seat) => {
    const player: Player = { client, longestAwayMs: 0, told: undefined, startMoving: () => undefined }
    let lostAt: number | undefined
    client.on('status', (status) => {
      if (status === 'reconnecting') lostAt ??= performance.now()
      if (status !== 'open' || lostAt === undefined) return
      player.longestAwayMs = Math.max(player.longestAwayMs, performance.now() - lostAt)
      lostAt = undefined
    })
    if (isPong) client.play(id, pong).on('end', ({ status }) => (player.told = status))
    else {
      const play = client.play(id, connectFour)
      const move = () => {
        if (play.status === 'live' && play.state?.turn === seat) play.input({ column: seat })
      }
      play.on('end', ({ status }) => (player.told = status))
      player.startMoving = () => {
        play.on('status', move)
        play.on('confirmed', move)
        move()
      }
    }
    return player
  })
}

/** Starts all matches; gives the players of Pong, and those of Connect Four. */
async function startMatches(url: string, database: TestDatabase): Promise<[Player[], Player[]]> {
  const cookies = await signIn(database, 2 * MATCHES)
  const start = async (from: number, isPong: boolean) => {
    const matches = Array.from({ length: MATCHES / 2 }, (_, match) => {
      return startMatch(url, cookies.slice(from + 2 * match, from + 2 * match + 2), isPong)
    })
    return (await Promise.all(matches)).flat()
  }
  const turnBased = await start(0, false)
  const timed = await start(MATCHES, true)
  await expect.poll(() => count(database, "status = 'live'"), PATIENT).toBe(MATCHES)
  return [timed, turnBased]
}

async function count({ url }: TestDatabase, condition: string): Promise<number> {
  const { rows } = await execute(url, `SELECT count(*)::int AS count FROM matches WHERE ${condition}`)
  return rows[0]?.count
}

async function createDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  return database
}

describe('with another node', () => {
  needsRedis()

  test(`${MATCHES} matches of a node that leaves are played to their end from another node`, async () => {
    await using redis = await startRedis()
    const database = await createDatabase()
    const environment = { REDIS_URL: `redis://127.0.0.1:${redis.port}` }
    const leaving = await startNode(database, environment)
    const staying = await startNode(database, environment)
    const portOf = ({ url }: ServerProcess) => Number(new URL(url).port)
    const proxy = await startTcpProxy(portOf(leaving))
    onTestFinished(() => proxy.close())
    const [timed, turnBased] = await startMatches(proxy.url, database)
    const players = [...timed, ...turnBased]

    const ended = leaving.ended(60_000)
    leaving.signal('SIGTERM')
    const signalledAt = performance.now()
    while ((await fetch(`${leaving.url}/readyz`)).status === 200) await sleep(READY_EVERY_MS)
    proxy.leadTo(portOf(staying))
    await expect
      .poll(
        () => players.filter(({ client, longestAwayMs }) => longestAwayMs > 0 && client.status === 'open').length,
        PATIENT,
      )
      .toBe(players.length)
    for (const player of turnBased) player.startMoving()
    await expect.poll(() => players.filter(({ told }) => told === 'finished').length, PATIENT).toBe(players.length)
    expect((await ended).code).toBe(0)
    const stopMs = performance.now() - signalledAt

    const results = await count(database, "status = 'finished' AND inputs IS NOT NULL")
    const longestAwayMs = Math.max(...players.map((player) => player.longestAwayMs))
    figure('matches finished elsewhere', results, `of ${MATCHES}`)
    figure('longest time without a socket', longestAwayMs, 'ms')
    figure('stop of a node with another', stopMs, 'ms')
    expect(results).toBe(MATCHES)
    expect(longestAwayMs).toBeLessThan(AWAY_MS)
  }, 180_000)
})

test(`${MATCHES} matches of a single node that leaves: sockets stay until theirs is over, and all are told how it ended`, async () => {
  const database = await createDatabase()
  const node = await startNode(database)
  const [timed, turnBased] = await startMatches(node.url, database)
  const players = [...timed, ...turnBased]
  /** Two matches in which nobody moves any more. */
  const stuck = turnBased.slice(0, 4)
  let cutBeforeTheEnd = 0
  for (const player of players) {
    player.client.on('status', (status) => {
      if (status === 'reconnecting' && player.told === undefined) cutBeforeTheEnd++
    })
  }

  const ended = node.ended(60_000)
  node.signal('SIGTERM')
  const signalledAt = performance.now()
  await expect.poll(() => fetch(`${node.url}/readyz`).then(({ status }) => status), PATIENT).toBe(503)
  for (const player of turnBased.slice(stuck.length)) player.startMoving()
  const { code } = await ended
  const stopMs = performance.now() - signalledAt

  const results = await count(database, "status = 'finished' AND inputs IS NOT NULL")
  const aborted = await count(database, "status = 'aborted' AND end_reason = 'node-left'")
  figure('matches finished on a single node', results, `of ${MATCHES}`)
  figure('players told of the end', players.filter(({ told }) => told !== undefined).length, `of ${players.length}`)
  figure('stop of a single node', stopMs, 'ms')
  expect(code).toBe(0)
  expect([results, aborted]).toEqual([MATCHES - stuck.length / 2, stuck.length / 2])
  expect(players.map(({ told }) => told)).toEqual(
    players.map((player) => (stuck.includes(player) ? 'aborted' : 'finished')),
  )
  expect(cutBeforeTheEnd).toBe(0)
}, 180_000)
