import { expect } from 'vitest'
import { newcomers } from '../support/newcomers.ts'
import { rallyTest } from '../support/rally-test.ts'

// A user who was banned took seats by way of a node that had not heard of the ban yet. Nobody gave those seats up.

const test = rallyTest()
const PONG = { game: 'pong', mode: 'casual', visibility: 'private' }
const WAITS = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
const REFUSED = { error: 'UNAUTHENTICATED' }

test('a banned user whose socket is still open takes no seat', async ({ rally, database: { db } }) => {
  const [bad, good] = await newcomers(rally, 2)
  const { id: matchId, code } = await good.client.call<{ id: string; code: string }>('matches.create', PONG)
  const userId = bad.player.id
  await db.user.update({ where: { id: userId }, data: { bannedAt: new Date(), banReason: 'cheats' } })
  expect(await bad.client.request('matches.create', PONG)).toMatchObject(REFUSED)
  expect(await bad.client.request('matches.join', { code })).toMatchObject(REFUSED)
  expect(await bad.client.request('matches.join', { matchId })).toMatchObject(REFUSED)
  expect(await db.seat.count({ where: { userId } })).toBe(0)
  expect(await db.match.count({ where: { createdBy: userId } })).toBe(0)
})

test('a seat that is taken while a ban is being written is refused once the ban is there', async ({
  rally,
  database: { db },
}) => {
  const [bad, good] = await newcomers(rally, 2)
  const { code } = await good.client.call<{ code: string }>('matches.create', PONG)
  const userId = bad.player.id
  let asked: Promise<unknown>[] = []
  await db.$transaction(async (tx) => {
    await tx.user.update({ where: { id: userId }, data: { bannedAt: new Date(), banReason: 'cheats' } })
    asked = [bad.client.request('matches.create', PONG), bad.client.request('matches.join', { code })]
    await expect.poll(async () => (await db.$queryRawUnsafe<unknown[]>(WAITS)).length).toBe(2)
  })
  expect(await Promise.all(asked)).toMatchObject([REFUSED, REFUSED])
  expect(await db.seat.count({ where: { userId } })).toBe(0)
})
