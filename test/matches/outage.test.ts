import { once } from 'node:events'
import { expect, test } from 'vitest'
import { statement } from '../../src/db/sql.ts'
import { newcomer } from '../support/newcomers.ts'
import { OwnPostgres } from '../support/own-postgres.ts'
import { type Rally, startRally } from '../support/server.ts'
import { CONNECT_FOUR, create, follow, playConnectFour, seatTwo, startLive, startQuickRally } from './support.ts'

const LOCK = statement('test.lock', 'SELECT 1 FROM matches WHERE id = ANY($1) FOR UPDATE')

const onDatabase = (postgres: OwnPostgres): Promise<Rally> =>
  startQuickRally({ comeBackMs: 20_000 }, { config: { databaseUrl: postgres.url, logLevel: 'silent' } })

test.concurrent('players keep their match while the database is away, and its result is stored once', async () => {
  await using postgres = await OwnPostgres.start()
  await using rally = await onDatabase(postgres)
  const { first, second, follower, matchId } = await seatTwo(rally, CONNECT_FOUR)
  await follower.live()
  const version = follower.latest.version

  await postgres.stop()
  await playConnectFour([first.client, second.client], matchId)
  const refused = await first.client.request('matches.create', { game: 'pong', mode: 'bot' }, { deadlineMs: 10_000 })
  expect(refused.error).toBe('UNAVAILABLE')
  // Nothing is announced that is not committed.
  expect(follower.catchUp()).toMatchObject({ status: 'live', version })

  await postgres.restart()
  const over = await follower.over(15_000)
  expect(over).toMatchObject({ status: 'finished', winnerSeat: 0, version: version + 1 })
  const { rows } = await postgres.query(`SELECT status, version, ticks FROM matches WHERE id = '${matchId}'`)
  expect(rows).toEqual([{ status: 'finished', version: over.version, ticks: 7 }])
  // The players can go on.
  expect(await create(second.client, { mode: 'bot' })).toMatchObject({ status: 'waiting' })
}, 60_000)

test.concurrent("a player's coming and going while the database is away is written when it is back", async () => {
  await using postgres = await OwnPostgres.start()
  await using rally = await onDatabase(postgres)
  const [goer, watcher] = [await newcomer(rally), await newcomer(rally)]
  const match = await create(goer.client)
  const follower = await follow(watcher.client, match.id)
  await postgres.stop()
  await goer.drop()
  await postgres.restart()
  await follower.until(({ players }) => players[0]?.connected === false, 15_000)
  await goer.comeBack()
  await follower.until(({ players }) => players[0]?.connected === true)
}, 60_000)

test.concurrent('results that cannot be written delay no other match', async () => {
  await using rally = await startQuickRally({}, { config: { logLevel: 'silent' } })
  const { transaction } = await rally.database.open({ transactionTimeoutMs: 60_000 })
  const { client } = await newcomer(rally)
  // More than the pool has places.
  const decided = await Promise.all(
    Array.from({ length: 6 }, () => startLive(client, { mode: 'local', ...CONNECT_FOUR })),
  )
  const [locked, released] = [new AbortController(), new AbortController()]
  const isLocked = once(locked.signal, 'abort')
  const holding = transaction(async ({ sql }) => {
    await sql.rows(LOCK, [decided.map(({ latest }) => latest.id)])
    locked.abort()
    await once(released.signal, 'abort')
  })
  await isLocked
  for (const { latest } of decided) await playConnectFour([client], latest.id)
  await startLive(client, { mode: 'bot' })
  for (const follower of decided) expect(follower.catchUp().status).toBe('live')
  released.abort()
  await holding
  for (const follower of decided) expect(await follower.over(20_000)).toMatchObject({ status: 'finished' })
}, 60_000)

test.concurrent('a server stops in time while its database is away', async () => {
  await using postgres = await OwnPostgres.start()
  const rally = await onDatabase(postgres)
  const { follower } = await seatTwo(rally)
  await follower.live()
  await postgres.stop()
  const begunAt = Date.now()
  await rally.stop()
  expect(Date.now() - begunAt).toBeLessThan(9_000)
  await postgres.restart()
}, 60_000)

test.concurrent('a server that stops aborts its live matches and leaves waiting ones alone', async () => {
  await using rally = await startRally()
  const database = await rally.database.open()
  const { first, follower, matchId } = await seatTwo(rally)
  const waiting = await create(first.client)
  await follower.live(10_000)
  await rally.app.stop()
  expect(await first.client.closed).toMatchObject({ code: 4000 })
  const rows = await database.db.match.findMany({
    where: { id: { in: [matchId, waiting.id] } },
    include: { seats: true },
  })
  expect(rows.find(({ id }) => id === matchId)).toMatchObject({ status: 'aborted', endReason: 'node-left' })
  expect(rows.find(({ id }) => id === waiting.id)).toMatchObject({
    status: 'waiting',
    seats: [{ connected: false }],
  })
  expect(await database.db.node.count()).toBe(0)
})
