import { expect, test } from 'vitest'
import type { Match } from '../../src/modules/matches/types.ts'
import { connect } from '../support/client.ts'
import { createTestDatabase } from '../support/database.ts'
import { newcomer, openSocket } from '../support/newcomers.ts'
import { execute } from '../support/postgres.ts'
import { enter } from '../support/server.ts'
import { create, follow, playToEnd, startQuickRally } from './support.ts'

interface Page {
  readonly items: readonly Match[]
  readonly nextCursor?: string
}

interface Lobby {
  readonly matches: readonly Match[]
}

const ids = (matches: readonly Match[]) => matches.map(({ id }) => id)

test('a private match is shown only to those who know its id or code', async () => {
  await using rally = await startQuickRally()
  const [owner, other] = [await newcomer(rally), await newcomer(rally)]
  await using stranger = await openSocket(rally)
  const lobby = await stranger.subscribe<Lobby>('matches.onLobby')

  const hidden = await create(owner.client, { visibility: 'private' })
  const shown = await create(owner.client, { visibility: 'public' })
  const { data } = await lobby.events.next(({ data }) => data.matches.length > 0)
  expect(ids(data.matches)).toEqual([shown.id])
  expect(ids((await stranger.call<Page>('matches.list')).items)).toEqual([shown.id])
  expect(ids((await owner.client.call<Page>('matches.list')).items)).toEqual([shown.id])
  expect(await other.client.call('matches.join', { code: hidden.code })).toMatchObject({ id: hidden.id })

  const { id: secret } = await playToEnd(owner.client, { visibility: 'private' })
  const { id: known } = await playToEnd(owner.client, { visibility: 'public' })
  const { username } = owner.player
  const own = await owner.client.call<Page>('matches.history')
  expect(ids(own.items)).toEqual([known, secret])
  expect(ids((await owner.client.call<Page>('matches.history', { username })).items)).toEqual([known, secret])
  const seen = await other.client.call<Page>('matches.history', { username: username.toUpperCase() })
  expect(ids(seen.items)).toEqual([known])
  expect((await other.client.call<Page>('matches.history')).items).toEqual([])
  expect((await stranger.request('matches.history', { username })).error).toBe('UNAUTHENTICATED')
})

test('a history read page by page has each match once, also those that ended at the same moment', async () => {
  await using rally = await startQuickRally()
  const { player, client } = await newcomer(rally)
  // Inserted by a few statements: playing that many would take minutes.
  await execute(
    rally.database.url,
    `INSERT INTO matches (id, game, mode, status, code, options, seed, rules_version, created_by, created_at, finished_at)
     SELECT 'm' || n, 'pong', 'casual', 'finished', 'CODE' || n, '{}', 1, 1, 'x',
       now(), timestamptz '2026-01-01' + make_interval(secs => n / 10)
     FROM generate_series(1, 45) AS n`,
  )
  await execute(
    rally.database.url,
    `INSERT INTO seats (match_id, seat, user_id, display_name)
     SELECT 'm' || n, 0, '${player.id}', 'x' FROM generate_series(1, 45) AS n`,
  )
  const seen: Match[] = []
  let cursor: string | undefined
  do {
    const page: Page = await client.call<Page>('matches.history', { limit: 7, ...(cursor ? { cursor } : {}) })
    expect(page.items.length).toBeLessThanOrEqual(7)
    seen.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  expect(new Set(ids(seen)).size).toBe(45)
  const times = seen.map(({ finishedAt }) => finishedAt ?? 0)
  expect(times).toEqual([...times].sort((a, b) => b - a))
  for (const wrong of ['x', '1', '.a', '99999999999999999.a']) {
    expect((await client.request('matches.history', { cursor: wrong })).error).toBe('VALIDATION_FAILED')
  }
})

test("the lobby's followers get its very first change", async () => {
  await using rally = await startQuickRally()
  const { client } = await newcomer(rally)
  const all = await client.subscribe<Lobby>('matches.onLobby')
  const pongOnly = await client.subscribe<Lobby>('matches.onLobby', { game: 'pong' })
  expect(all.opening).toMatchObject({ seq: 0, snapshot: { matches: [] } })

  const pong = await create(client)
  const first = await all.events.next(({ data }) => data.matches.length === 1)
  expect(ids(first.data.matches)).toEqual([pong.id])
  const four = await create(client, { game: 'connect-four' })
  const local = await create(client, { mode: 'local' })
  const both = await all.events.next(({ data }) => data.matches.length === 2)
  expect(ids(both.data.matches)).toEqual([four.id, pong.id])
  const { data } = await pongOnly.events.next()
  expect(ids(data.matches)).toEqual([pong.id])
  await client.call('matches.leave', { matchId: local.id })
  await client.call('matches.leave', { matchId: pong.id })
  const one = await all.events.next(({ data }) => data.matches.length === 1)
  expect(ids(one.data.matches)).toEqual([four.id])
  expect(one.seq ?? 0).toBeGreaterThan(both.seq ?? Number.POSITIVE_INFINITY)
  expect(both.seq ?? 0).toBeGreaterThan(first.seq ?? Number.POSITIVE_INFINITY)
})

test('the numbers of the lobby go on after a restart', async () => {
  await using database = await createTestDatabase()
  const lastSeq = async (): Promise<number> => {
    await using rally = await startQuickRally({}, { database })
    const { client } = await enter(rally.url, `u${Math.random().toString(36).slice(2, 10)}`)
    const lobby = await client.subscribe<Lobby>('matches.onLobby')
    const match = await create(client)
    const { seq = 0 } = await lobby.events.next(({ data }) => data.matches.some(({ id }) => id === match.id))
    expect(seq).toBeGreaterThan(lobby.opening.seq)
    return seq
  }
  const before = await lastSeq()
  expect(await lastSeq()).toBeGreaterThan(before)
})

test('a list shows what its filters ask for', async () => {
  await using rally = await startQuickRally()
  const { client } = await newcomer(rally)
  const pong = await create(client)
  const four = await create(client, { game: 'connect-four' })
  const bot = await create(client, { mode: 'bot' })
  await (await follow(client, bot.id)).live()
  const list = async (data: object) => ids((await client.call<Page>('matches.list', data)).items)
  expect(await list({})).toEqual([bot.id, four.id, pong.id])
  expect(await list({ game: 'pong' })).toEqual([bot.id, pong.id])
  expect(await list({ status: 'live' })).toEqual([bot.id])
  expect(await list({ status: 'waiting', game: 'connect-four' })).toEqual([four.id])
  expect(await list({ status: 'finished' })).toEqual([])
  const page = await client.call<Page>('matches.list', { limit: 2 })
  expect(ids(page.items)).toEqual([bot.id, four.id])
  const rest = await client.call<Page>('matches.list', { limit: 2, cursor: page.nextCursor })
  expect(ids(rest.items)).toEqual([pong.id])
  expect(rest.nextCursor).toBeUndefined()
})

test('a list with mine has private and local matches, and needs a user', async () => {
  await using rally = await startQuickRally()
  const { client } = await newcomer(rally)
  const hidden = await create(client, { visibility: 'private' })
  const local = await create(client, { mode: 'local' })
  const { client: other } = await newcomer(rally)
  await create(other)
  expect(ids((await client.call<Page>('matches.list', { mine: true })).items)).toEqual([local.id, hidden.id])
  await using nobody = await connect(rally.url)
  expect(await nobody.request('matches.list', { mine: true })).toMatchObject({ error: 'UNAUTHENTICATED' })
})
