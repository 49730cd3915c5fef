import { expect, test } from 'vitest'
import type { Sql } from '../../src/db/sql.ts'
import { MatchService } from '../../src/modules/matches/service.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { newcomer, newcomers, openSocket } from '../support/newcomers.ts'
import { create, startQuickRally } from './support.ts'

interface Lobby {
  readonly matches: readonly Match[]
}

test('a few hosts with many matches do not fill the lobby', async () => {
  await using rally = await startQuickRally()
  await using watcher = await openSocket(rally)
  const quiet = await newcomer(rally)
  const pong = await create(quiet.client)
  const four = await create(quiet.client, { game: 'connect-four' })
  const hosts = await newcomers(rally, 6)
  const { maxActive } = rally.config.matches
  for (const { client } of hosts) {
    await Promise.all(
      Array.from({ length: maxActive }, (_, index) => create(client, index % 2 ? { game: 'connect-four' } : {})),
    )
  }
  const read = async (data: object) => {
    const { opening } = await watcher.subscribe<Lobby>('matches.onLobby', data)
    if (!('snapshot' in opening)) throw new Error('a lobby has a snapshot')
    return opening.snapshot.matches
  }
  for (const [data, count] of [
    [{}, 14],
    [{ game: 'pong' }, 13],
    [{ game: 'connect-four' }, 13],
  ] as const) {
    const matches = await read(data)
    expect(matches).toHaveLength(count)
    const ofHost = new Map<string | null, number>()
    for (const { players } of matches) {
      const userId = players[0]?.userId ?? null
      ofHost.set(userId, (ofHost.get(userId) ?? 0) + 1)
    }
    expect(Math.max(...ofHost.values())).toBe(2)
    const times = matches.map(({ createdAt }) => createdAt)
    expect(times).toEqual(times.toSorted((a, b) => b - a))
  }
  expect((await read({})).slice(-2).map(({ id }) => id)).toEqual([four.id, pong.id])
  expect((await read({ game: 'pong' })).at(-1)?.id).toBe(pong.id)
})

test('requests of the same moment share one query', async () => {
  await using rally = await startQuickRally()
  const { client } = await newcomer(rally)
  const match = await create(client)
  const { platform } = rally.app
  const { sql } = platform.database
  let queries = 0
  const counted: Sql = {
    rows: (...query) => sql.rows(...query).finally(() => queries++),
    first: (...query) => sql.first(...query).finally(() => queries++),
  }
  const matches = new MatchService({ ...platform, database: { ...platform.database, sql: counted } })
  const read = await Promise.all(Array.from({ length: 50 }, () => matches.find({ matchId: match.id }, null)))
  expect(new Set(read.map((one) => one?.id))).toEqual(new Set([match.id]))
  expect(queries).toBe(1)
  const opened = await Promise.all(Array.from({ length: 50 }, () => matches.follow(match.id, null)))
  expect(opened.map((one) => one?.seq)).toEqual(opened.map(() => match.version))
  expect(queries).toBe(2)
  const lobbies = await Promise.all(
    Array.from({ length: 50 }, (_, index) => matches.pages.followLobby(index % 2 ? 'pong' : undefined)),
  )
  expect(queries).toBe(3)
  expect(new Set(lobbies.map(({ lobby }) => lobby)).size).toBe(2)
  for (const { lobby } of lobbies) expect(lobby.matches.map(({ id }) => id)).toEqual([match.id])
})
