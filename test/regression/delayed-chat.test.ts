import { expect } from 'vitest'
import { follow, joinRoom } from '../rooms/support.ts'
import { newcomers } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'
import { runJob } from '../support/run-job.ts'

const test = rallyTest({ config: { matches: matchTimes({ countdownMs: 60_000 }) } })
const delayed = { game: 'pong', mode: 'casual', options: { spectatorDelayMs: 5_000 } }

test('the chat of a match that spectators see later is closed to them by its id too', async ({ rally }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const { id: matchId } = await ada.client.call<{ id: string }>('matches.create', delayed)
  const { id: roomId } = await joinRoom(ada.client, { matchId })
  expect((await ben.client.request('rooms.join', { roomId })).error).toBe('FORBIDDEN')
  // A player may come by the id.
  await ben.client.call('matches.join', { matchId })
  expect(await joinRoom(ben.client, { roomId })).toMatchObject({ id: roomId, matchId })
})

test('who has no seat is taken out by the next sweep, if nobody did it before', async ({ rally, database }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const { id: matchId } = await ada.client.call<{ id: string }>('matches.create', delayed)
  const { id: roomId } = await joinRoom(ada.client, { matchId })
  await ben.client.call('matches.join', { matchId })
  await joinRoom(ben.client, { roomId })
  const { events } = await follow(ben.client, roomId)
  // As if the node that was told of it had failed.
  await database.db.seat.deleteMany({ where: { matchId, userId: ben.player.id } })
  await runJob(rally, 'rooms.sweep')
  const { data } = await events.next(({ error }) => error !== undefined)
  expect(data).toEqual({ reason: 'left' })
  expect(await database.db.roomMember.count({ where: { roomId, leftAt: null } })).toBe(1)
})
