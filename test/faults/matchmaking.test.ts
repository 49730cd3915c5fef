import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { QueueState } from '../../src/modules/matches/types.ts'
import type { Message, Stream, TestClient } from '../support/client.ts'
import { execute } from '../support/postgres.ts'
import { figure } from './figure.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'
import { makeUsers, openAs, type User } from './users.ts'

const PLAYERS = 1_000
/** Sockets that are opened at the same time. */
const ARRIVING = 32
/** A second attempt of the test has users of its own. */
const ATTEMPTS = 2

/** As an answer tells the client. */
const REPEAT_MS = 1_000

interface Waiting {
  readonly client: TestClient
  readonly queue: Stream<QueueState, QueueState>
}

let server: ServerProcess
let users: User[]
beforeAll(async () => {
  // None of the matches begins: five hundred live matches are another test.
  server = await startServerProcess({ MATCH_COUNTDOWN_MS: '60000' })
  users = await makeUsers(server, ATTEMPTS * PLAYERS + 2 * ATTEMPTS)
  // From 1200 to 1799.
  await execute(
    server.databaseUrl,
    `INSERT INTO ratings (user_id, game, rating, deviation, volatility, played, won, standing, rated_at)
     SELECT id, 'pong', 1200 + (substr(id, 6)::int * 7919) % 600, 80, 0.06, 9, 4, 0, now() FROM users`,
  )
})
afterAll(() => server?.[Symbol.asyncDispose]())

/** Opens a socket for each of the next users, who follow where they stand. */
async function arrive(count: number): Promise<Waiting[]> {
  const next = users.splice(0, count).values()
  const waiting: Waiting[] = []
  const open = async () => {
    for (const user of next) {
      const client = await openAs(server.url, user)
      waiting.push({ client, queue: await client.subscribe<QueueState>('matches.onQueue', {}) })
    }
  }
  await Promise.all(Array.from({ length: ARRIVING }, open))
  return waiting
}

/** Asks as the client does: what is refused because the server is busy is repeated. Gives how often it was. */
async function enqueue({ client }: Waiting, game: string): Promise<number> {
  const eid = randomUUID()
  for (let refused = 0; ; refused++) {
    const answer = await client.request('matches.enqueue', { game }, { eid, deadlineMs: 20_000 })
    if (answer.error === undefined) return refused
    expect(answer.error).toBe('UNAVAILABLE')
    await sleep(REPEAT_MS)
  }
}

async function matched({ queue }: Waiting): Promise<string | null> {
  const found: Message<QueueState> = await queue.events.next(({ data }) => data.status === 'matched', 30_000)
  return found.data.matchId
}

test('a thousand players who ask at once are all matched within ten seconds, and told', async () => {
  const crowd = await arrive(PLAYERS)
  const begunAt = performance.now()
  const told = Promise.all(crowd.map(matched))
  const refused = await Promise.all(crowd.map((player) => enqueue(player, 'pong')))
  figure('1,000 players in the queue', performance.now() - begunAt, 'ms')
  figure('of them asked again', refused.filter((times) => times > 0).length, 'players')
  const matchIds = await told
  const tookMs = performance.now() - begunAt
  figure('1,000 players matched', tookMs, 'ms')
  expect(tookMs).toBeLessThan(10_000)
  const { rows } = await execute(
    server.databaseUrl,
    `SELECT count(*)::int AS seats, count(DISTINCT user_id)::int AS users, count(DISTINCT match_id)::int AS matches FROM seats
     WHERE match_id IN (${[...new Set(matchIds)].map((id) => `'${id}'`).join()})`,
  )
  expect(rows).toEqual([{ seats: PLAYERS, users: PLAYERS, matches: PLAYERS / 2 }])
  for (const { client } of crowd) client.socket.terminate()
}, 90_000)

test('two players who ask are in one match within a second', async () => {
  const [ada, ben] = await arrive(2)
  if (!ada || !ben) throw new Error('nobody came')
  await enqueue(ada, 'connect-four')
  const begunAt = performance.now()
  await enqueue(ben, 'connect-four')
  await matched(ada)
  const tookMs = performance.now() - begunAt
  figure('two players matched', tookMs, 'ms')
  expect(tookMs).toBeLessThan(1_000)
})
