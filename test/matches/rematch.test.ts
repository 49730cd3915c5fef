import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { describe, expect } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { statement } from '../../src/db/sql.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { Newcomer, newcomer, openSocket } from '../support/newcomers.ts'
import { execute } from '../support/postgres.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'
import type { Rally } from '../support/server.ts'
import {
  CONNECT_FOUR,
  create,
  type Follower,
  follow,
  playConnectFour,
  playToEnd,
  seatTwo,
  startQuickRally,
} from './support.ts'

const LOCK_USER = statement('test.lockUser', 'SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE')

const test = rallyTest({ config: { matches: matchTimes() } })

interface Page {
  readonly items: readonly Match[]
}

/** Two players whose match is over. */
async function playedByTwo(rally: Rally, data: object = {}) {
  const table = await seatTwo(rally, { ...CONNECT_FOUR, ...data })
  await table.follower.live()
  await playConnectFour([table.first.client, table.second.client], table.matchId)
  await table.follower.over()
  return table
}

const rematch = ({ client }: Pick<Newcomer, 'client'>, matchId: string) =>
  client.call<Match>('matches.rematch', { matchId })

const offered = (follower: Follower, matchId: string | null) => follower.until(({ rematchId }) => rematchId === matchId)

describe('a rematch', () => {
  test('has the seats and options of the match before, and begins when both are in it', async ({ rally }) => {
    const { first, second, follower, matchId } = await playedByTwo(rally)
    const offer = await rematch(second, matchId)
    expect(offer).toMatchObject({
      game: 'connect-four',
      mode: 'casual',
      visibility: 'public',
      options: { first: 0 },
      status: 'waiting',
      startsAt: null,
      rematchOf: matchId,
      players: [{ seat: 1, userId: second.player.id }],
    })
    expect(offer.id).not.toBe(matchId)
    expect((await offered(follower, offer.id)).status).toBe('finished')
    const taken = await rematch(first, matchId)
    expect(taken).toMatchObject({ id: offer.id, players: [{ seat: 0, userId: first.player.id }, { seat: 1 }] })
    expect(taken.startsAt).not.toBeNull()
    // Asking again changes nothing.
    expect(await rematch(second, matchId)).toMatchObject({ id: offer.id, version: taken.version })
  })

  test('is one match when both ask at once', async ({ rally }) => {
    const { first, second, matchId } = await playedByTwo(rally)
    const [one, other] = await Promise.all([rematch(first, matchId), rematch(second, matchId)])
    expect(one.id).toBe(other.id)
    const both = await first.client.call<Match>('matches.getOne', { matchId: one.id })
    expect(both.players.map(({ userId }) => userId)).toEqual([first.player.id, second.player.id])
  })

  test('is for those who played', async ({ rally }) => {
    const { first, second, matchId } = await playedByTwo(rally)
    const stranger = await newcomer(rally)
    expect((await stranger.client.request('matches.rematch', { matchId })).error).toBe('FORBIDDEN')
    const { id, code } = await rematch(first, matchId)
    for (const by of [{ matchId: id }, { code }]) {
      expect((await stranger.client.request('matches.join', by)).error).toBe('MATCH_FULL')
    }
    const { items } = await stranger.client.call<Page>('matches.list', { game: 'connect-four', limit: 100 })
    expect(items.map((match) => match.id)).not.toContain(id)
    const lobby = await stranger.client.subscribe<{ matches: Match[] }>('matches.onLobby', { game: 'connect-four' })
    expect(lobby.opening).toMatchObject({ snapshot: { matches: expect.not.arrayContaining([{ id }]) } })
    expect(JSON.stringify(lobby.opening)).not.toContain(id)
    expect(await second.client.call('matches.join', { code })).toMatchObject({ id })
  })

  test('is not offered any more after the player who offered it has left', async ({ rally }) => {
    const { first, second, follower, matchId } = await playedByTwo(rally)
    const offer = await rematch(first, matchId)
    await offered(follower, offer.id)
    await first.client.call('matches.leave', { matchId: offer.id })
    await offered(follower, null)
    expect((await second.client.request('matches.join', { matchId: offer.id })).error).toBe('MATCH_CLOSED')
    const anew = await rematch(second, matchId)
    expect(anew.id).not.toBe(offer.id)
    await offered(follower, anew.id)
    // A player who leaves a rematch in which another waits may come back to the seat.
    await rematch(first, matchId)
    await second.client.call('matches.leave', { matchId: anew.id })
    expect(await rematch(second, matchId)).toMatchObject({ id: anew.id, players: [{ seat: 0 }, { seat: 1 }] })
    expect(follower.catchUp().rematchId).toBe(anew.id)
  })

  test('has a rematch of its own, and the first match can have another', async ({ rally }) => {
    const { first, second, matchId } = await playedByTwo(rally)
    const { id } = await rematch(first, matchId)
    await rematch(second, matchId)
    expect((await first.client.request('matches.rematch', { matchId: id })).error).toBe('NOT_FINISHED')
    await first.client.call('matches.leave', { matchId: id })
    await second.client.call('matches.leave', { matchId: id })
    const again = await rematch(second, id)
    expect(again.rematchOf).toBe(id)
    expect((await rematch(first, matchId)).rematchOf).toBe(matchId)
  })

  test.for(['local', 'bot'])(
    'begins at once in mode %s, and is one however often it is asked for',
    async (mode, { rally }) => {
      const player = await newcomer(rally)
      const match =
        mode === 'local' ? await playToEnd(player.client) : await create(player.client, { mode, ...CONNECT_FOUR })
      if (mode === 'bot') await player.client.call('matches.leave', { matchId: match.id })
      const [one, other] = await Promise.all([rematch(player, match.id), rematch(player, match.id)])
      expect(one).toMatchObject({ mode, rematchOf: match.id, players: [{ seat: 0 }, { seat: 1 }] })
      expect(one.startsAt).not.toBeNull()
      expect(other.id).toBe(one.id)
      expect(one.players.map(({ userId }) => userId)).toEqual([
        player.player.id,
        mode === 'local' ? player.player.id : null,
      ])
    },
  )

  test('needs a match that is over, and counts as an open match', async ({ rally }) => {
    const { first, follower, matchId } = await seatTwo(rally, CONNECT_FOUR)
    expect((await first.client.request('matches.rematch', { matchId })).error).toBe('NOT_FINISHED')
    await follower.live()
    expect((await first.client.request('matches.rematch', { matchId })).error).toBe('NOT_FINISHED')
    expect((await first.client.request('matches.rematch', { matchId: 'none' })).error).toBe('NOT_FOUND')
    await first.client.call('matches.leave', { matchId })
    await follower.over()
    for (let count = 0; count < rally.config.matches.maxActive; count++) await create(first.client)
    expect((await first.client.request('matches.rematch', { matchId })).error).toBe('TOO_MANY_MATCHES')
  })
})

test('a player gets a new rematch when the first one ends while they join it', async () => {
  await using rally = await startQuickRally()
  const { first, second, matchId } = await playedByTwo(rally)
  const offer = await rematch(first, matchId)
  const { transaction } = await rally.database.open()
  const [locked, released] = [new AbortController(), new AbortController()]
  const isLocked = once(locked.signal, 'abort')
  const holding = transaction(async ({ sql }) => {
    await sql.rows(LOCK_USER, [second.player.id])
    locked.abort()
    await once(released.signal, 'abort')
  })
  await isLocked
  // The request has seen the offer, and waits before it takes the seat.
  const asked = second.client.request('matches.rematch', { matchId })
  const waits = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
  await eventually(
    () => execute(rally.database.url, waits),
    ({ rowCount }) => rowCount === 1,
  )
  await first.client.call('matches.leave', { matchId: offer.id })
  released.abort()
  await holding
  const { error, data } = await asked
  expect(error).toBeUndefined()
  expect(data).toMatchObject({ status: 'waiting', rematchOf: matchId, players: [{ seat: 1 }] })
  expect(data).not.toMatchObject({ id: offer.id })
})

test('a rematch is not offered any more after it was aborted', async () => {
  await using rally = await startQuickRally()
  const { client } = await newcomer(rally)
  const { id } = await playToEnd(client)
  const follower = await follow(client, id)
  const again = await follow(client, (await rematch({ client }, id)).id)
  await again.live()
  await offered(follower, again.latest.id)
  await client.call('matches.leave', { matchId: again.latest.id })
  expect(await again.over()).toMatchObject({ status: 'aborted' })
  await offered(follower, null)
})

test('two players who ask at once on two nodes get one rematch', async () => {
  await using database = await createTestDatabase()
  const secret = () => randomBytes(32).toString('base64')
  const { secrets } = readConfig({ JWT_SECRET: secret(), COOKIE_SECRET: secret(), ENCRYPTION_KEY: secret() })
  // No countdown ends meanwhile.
  const start = () => startQuickRally({ countdownMs: 60_000 }, { database, config: { secrets } })
  await using a = await start()
  await using b = await start()
  const [first, second] = [await newcomer(a), await newcomer(b)]
  const again = new Newcomer(b, first.player, await openSocket(b, first.player))
  for (let round = 0; round < 8; round++) {
    const { id } = await create(first.client)
    await second.client.call('matches.join', { matchId: id })
    const ended = `UPDATE matches SET status = 'finished', started_at = now(), finished_at = now() WHERE id = '${id}'`
    await execute(database.url, ended)
    const answers = await Promise.all([rematch(first, id), rematch(second, id), rematch(again, id)])
    expect(new Set(answers.map((match) => match.id)).size).toBe(1)
    const sql = `SELECT id FROM matches WHERE rematch_of = '${id}'`
    expect((await execute(database.url, sql)).rows).toEqual([{ id: answers[0]?.id }])
    for (const player of [first, second]) await player.client.call('matches.leave', { matchId: answers[0]?.id })
  }
}, 60_000)

test('a rematch is not offered any more after it was aborted because nobody came', async () => {
  await using rally = await startQuickRally({ emptyMs: 800 })
  const { first, follower, matchId } = await playedByTwo(rally)
  const offer = await rematch(first, matchId)
  await offered(follower, offer.id)
  await first.drop()
  await offered(follower, null)
})
