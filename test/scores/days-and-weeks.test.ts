import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { newcomer, openSocket } from '../support/newcomers.ts'
import { execute } from '../support/postgres.ts'
import { runJob } from '../support/run-job.ts'
import { type Rally, startRally } from '../support/server.ts'

let database: TestDatabase
let rally: Rally

// A `now()` that comes before that of Postgres: the tests move its clock, which begins on a Saturday.
beforeAll(async () => {
  database = await createTestDatabase()
  await execute(
    database.url,
    `CREATE SCHEMA clock;
     CREATE TABLE clock.moved AS SELECT timestamptz '2026-03-07 12:00Z' - pg_catalog.now() AS by;
     CREATE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT pg_catalog.now() + by FROM clock.moved';
     ALTER DATABASE ${database.name} SET search_path = clock, pg_catalog, public`,
  )
  rally = await startRally({ database })
})
afterAll(async () => {
  await rally?.stop()
  await database?.drop()
})

const nextDay = () => execute(database.url, `UPDATE clock.moved SET by = by + interval '1 day'`)

interface Listed {
  readonly period: string
  readonly players: number
  readonly entries: readonly { readonly score: number }[]
}

test('a day ends at midnight UTC and a week on Sunday, also for followers; a day later their lists are deleted', async () => {
  const ada = await newcomer(rally)
  const submit = (score: number) => ada.client.call('scores.submit', { gameMode: 'days', score })
  const list = async (period: string, around?: 'me') => {
    const { entries } = await ada.client.call<Listed>('scores.leaderboard', { gameMode: 'days', period, around })
    return entries.map(({ score }) => score)
  }
  await submit(100)
  expect([await list('day'), await list('week'), await list('all')]).toEqual([[100], [100], [100]])
  const today = await (await openSocket(rally)).subscribe<Listed>('scores.onLeaderboard', {
    gameMode: 'days',
    period: 'day',
  })
  expect(today.opening).toMatchObject({ snapshot: { players: 1 } })

  await nextDay()
  expect((await today.events.next(undefined, 10_000)).data).toMatchObject({ period: 'day', players: 0, entries: [] })
  await submit(50)
  expect((await today.events.next()).data).toMatchObject({ players: 1, entries: [{ score: 50, rank: 1 }] })
  expect([await list('day'), await list('week'), await list('all')]).toEqual([[50], [100], [100]])

  await nextDay()
  expect([await list('day'), await list('week'), await list('all', 'me')]).toEqual([[], [], [100]])
  expect(await list('week', 'me')).toEqual([])
  await submit(70)
  expect([await list('day'), await list('week'), await list('all')]).toEqual([[70], [70], [100]])

  await nextDay()
  await runJob(rally, 'scores.deletePast')
  const { db } = rally.app.platform.database
  const left = await db.leaderboard.findMany({ orderBy: { id: 'asc' } })
  const day = (at: Date) => at.toISOString().slice(0, 10)
  expect(left.map(({ period, startsOn }) => `${period} ${day(startsOn)}`)).toEqual([
    'all 1970-01-01',
    'week 2026-03-09',
    'day 2026-03-09',
  ])
  expect([await list('day'), await list('week'), await list('all')]).toEqual([[], [70], [100]])
})
