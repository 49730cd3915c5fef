import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { deleteOld } from '../../src/modules/matches/lifecycle/cleanup.ts'
import { newcomer } from '../support/newcomers.ts'
import { playToEnd, startQuickRally } from './support.ts'

const DAY_MS = 24 * 60 * 60_000
const HOUR_MS = DAY_MS / 24
const REPLAY_DAYS = 30

test('aborted matches are deleted after a day, and replays after their days; results stay', async () => {
  await using rally = await startQuickRally({}, { config: { replayDays: REPLAY_DAYS } })
  const { db, sql } = await rally.database.open()
  const { client, player } = await newcomer(rally)
  const ago = (ms: number) => new Date(Date.now() - ms)
  const addAborted = async (count: number, finishedAt: Date) => {
    const ids = Array.from({ length: count }, () => randomUUID())
    const common = { game: 'pong', mode: 'casual', status: 'aborted', seed: 1, rulesVersion: 1, options: {} } as const
    await db.match.createMany({
      data: ids.map((id) => ({ id, ...common, code: id.slice(0, 6), createdBy: player.id, finishedAt })),
    })
    await db.seat.createMany({
      data: ids.map((matchId) => ({ matchId, seat: 0, userId: player.id, displayName: 'x' })),
    })
    return ids
  }
  // More than one run of the job deletes.
  await addAborted(450, ago(DAY_MS + HOUR_MS))
  const [kept] = await addAborted(1, ago(DAY_MS - HOUR_MS))
  const [young, old] = [await playToEnd(client), await playToEnd(client)]
  await db.match.update({ where: { id: young.id }, data: { finishedAt: ago(REPLAY_DAYS * DAY_MS - HOUR_MS) } })
  await db.match.update({ where: { id: old.id }, data: { finishedAt: ago(REPLAY_DAYS * DAY_MS + HOUR_MS) } })

  for (let run = 0; run < 3; run++) await deleteOld(sql, REPLAY_DAYS)
  const rows = await db.match.findMany({ where: { status: 'aborted' } })
  expect(rows.map(({ id }) => id)).toEqual([kept])
  expect(await client.call('live.getReplay', { matchId: young.id })).toMatchObject({ ticks: 7 })
  expect((await client.request('live.getReplay', { matchId: old.id })).error).toBe('NOT_FINISHED')
  for (const mode of ['state', 'inputs']) {
    expect((await client.request('live.onState', { matchId: young.id, mode })).error).toBeUndefined()
    // Its last state was deleted.
    expect((await client.request('live.onState', { matchId: old.id, mode })).error).toBe('NOT_FOUND')
  }
  expect(await client.call('matches.getOne', { matchId: old.id })).toMatchObject({ status: 'finished', winnerSeat: 0 })
})

test('old replays are deleted while the server runs', async () => {
  await using rally = await startQuickRally()
  const { db } = await rally.database.open()
  const { client } = await newcomer(rally)
  const { id } = await playToEnd(client)
  await rally.app.stop()
  await db.match.update({ where: { id }, data: { finishedAt: new Date(Date.now() - 91 * DAY_MS) } })
  await using _again = await startQuickRally({}, { database: rally.database })
  await expect.poll(() => db.match.findUnique({ where: { id } }), { timeout: 8_000 }).toMatchObject({ inputs: null })
})
