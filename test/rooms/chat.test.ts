import { expect } from 'vitest'
import type { ChatMessage, Claim, RoomSnapshot } from '../../src/modules/rooms/types.ts'
import { newAdmin } from '../support/admins.ts'
import { newcomer, newcomers, openSocket } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'
import { runJob } from '../support/run-job.ts'
import { createRoom, follow, joinRoom, roomEvent, roomOf, roomTimes } from './support.ts'

const test = rallyTest({
  config: { rooms: roomTimes({ chatMessages: 50 }), matches: matchTimes({ countdownMs: 60_000 }) },
})

interface Claimed extends Claim {
  readonly isFirst: boolean
}

test('who comes back gets every message that was missed, and the room as it is', async ({ rally }) => {
  const [ada, ben, cem] = await newcomers(rally, 3)
  const { id: roomId } = await roomOf([ada, ben])
  const stream = await follow(ada.client, roomId)
  const say = (text: string) => ben.client.call<ChatMessage>('rooms.chat', { roomId, text })
  const first = await say(' hello ')
  expect(first).toMatchObject({ userId: ben.player.id, username: ben.player.username, text: 'hello' })
  const { seq } = await stream.events.next()
  expect(seq).toBe(first.seq)

  const second = await say('second')
  await joinRoom(cem.client, { roomId })
  await ben.client.call('rooms.claim', { roomId, key: 'coin' })
  const third = await say('third')
  const back = await follow(await openSocket(rally, ada.player), roomId, seq)
  expect(back.opening).toMatchObject({
    seq: third.seq,
    missed: [
      { seq: second.seq, data: { kind: 'chat', text: 'second' } },
      { data: { kind: 'room', room: { members: [{}, {}, { userId: cem.player.id }] } } },
      { data: { kind: 'claim', key: 'coin', userId: ben.player.id } },
      { seq: third.seq, data: { kind: 'chat', text: 'third' } },
    ],
  })
  const fresh = await follow(cem.client, roomId)
  const { chat, claims } = fresh.opening.snapshot as RoomSnapshot
  expect(chat.map(({ text }) => text)).toEqual(['hello', 'second', 'third'])
  expect(claims).toEqual([{ key: 'coin', userId: ben.player.id }])

  const { data } = await ben.client.call<{ data: { rooms: object } }>('users.export')
  expect(data.rooms).toMatchObject({
    rooms: [{ roomId, kind: 'coop' }],
    messages: [{ text: 'hello' }, { text: 'second' }, { text: 'third' }],
  })
  const answers = await Promise.all(
    Array.from({ length: 18 }, () => ben.client.request('rooms.chat', { roomId, text: 'again' })),
  )
  expect(answers.filter(({ error }) => error === 'RATE_LIMITED')).toHaveLength(1)
})

test('messages over the cap and old ones are deleted, and who missed those gets a snapshot', async ({
  rally,
  database,
}) => {
  const { db } = database
  const ada = await newcomer(rally)
  const { id: roomId, version } = await createRoom(ada.client)
  const rows = Array.from({ length: 150 }, (_, i) => ({
    roomId,
    seq: version + 1 + i,
    userId: ada.player.id,
    text: `${i}`,
  }))
  await db.roomLogEntry.createMany({ data: rows })
  // The log is cut with the next number that 64 divides.
  await db.room.update({ where: { id: roomId }, data: { version: 191 } })
  await ada.client.call('rooms.chat', { roomId, text: 'last' })
  expect(await db.roomLogEntry.count({ where: { roomId } })).toBe(50)
  const behind = await follow(ada.client, roomId, version)
  expect(behind.opening).toMatchObject({ seq: 192, gap: true, snapshot: { room: { id: roomId } } })
  await ada.client.call('rpc.unsubscribe', { channel: behind.channel })
  const near = await follow(ada.client, roomId, 191)
  expect(near.opening).toMatchObject({ seq: 192, missed: [{ seq: 192, data: { text: 'last' } }] })

  await db.roomLogEntry.updateMany({ where: { roomId, seq: { lt: 192 } }, data: { at: new Date(0) } })
  await runJob(rally, 'rooms.deleteOld')
  expect(await db.roomLogEntry.count({ where: { roomId } })).toBe(1)
  expect(await db.room.findUnique({ where: { id: roomId } })).toMatchObject({ trimmedSeq: expect.any(Number) })
})

test('a key has one owner, and everybody else learns who that is', async ({ rally }) => {
  const all = await newcomers(rally, 6)
  const [ada] = all
  const { id: roomId } = await createRoom(ada.client)
  for (const { client } of all.slice(1)) await joinRoom(client, { roomId })
  const stream = await follow(ada.client, roomId)
  const claims = await Promise.all(
    all.map(({ client }) => client.call<Claimed>('rooms.claim', { roomId, key: 'sword' })),
  )
  const [winner, ...others] = claims.filter(({ isFirst }) => isFirst)
  expect(others).toEqual([])
  expect(new Set(claims.map(({ userId }) => userId))).toEqual(new Set([winner?.userId]))
  expect(await stream.events.next()).toMatchObject({ data: { kind: 'claim', key: 'sword', userId: winner?.userId } })
  // The next event has the next number: losers counted nothing.
  await ada.client.call('rooms.chat', { roomId, text: 'x' })
  expect(await stream.events.next()).toMatchObject({ seq: stream.opening.seq + 2, data: { kind: 'chat' } })

  const { db } = rally.app.platform.database
  const data = Array.from({ length: 499 }, (_, i) => ({ roomId, key: `item ${i}` }))
  await db.roomClaim.createMany({ data })
  const answer = await ada.client.request('rooms.claim', { roomId, key: 'one more' })
  expect(answer.error).toBe('TOO_MANY_CLAIMS')
  expect(await ada.client.call('rooms.claim', { roomId, key: 'sword' })).toMatchObject({ userId: winner?.userId })
})

test('who is banned writes nothing more, and leaves the rooms', async ({ rally, database: { db } }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const { id: roomId } = await roomOf([ada, ben])
  // As a ban whose node could not tell the socket's node yet.
  await db.user.update({ where: { id: ben.player.id }, data: { bannedAt: new Date(), banReason: 'cheated' } })
  expect((await ben.client.request('rooms.chat', { roomId, text: 'x' })).error).toMatch(/NOT_IN_ROOM|^undefined$/)
  expect(await db.roomLogEntry.count({ where: { roomId } })).toBe(0)

  const [cem, chief] = [await newcomer(rally), await newAdmin(rally)]
  await joinRoom(cem.client, { roomId })
  const stream = await follow(ada.client, roomId)
  await chief.client.call('admin.ban', { userId: cem.player.id, reason: 'cheats' })
  const after = await roomEvent(stream, () => true)
  expect(after.members.map(({ userId }) => userId)).not.toContain(cem.player.id)
})

test('the chat of a match is for its players and for who watches, and of a delayed one for its players', async ({
  rally,
}) => {
  const [ada, ben, cem] = await newcomers(rally, 3)
  const open = (options: object) =>
    ada.client.call<{ id: string }>('matches.create', { game: 'pong', mode: 'casual', options })
  const { id: matchId } = await open({})
  const room = await joinRoom(ada.client, { matchId })
  expect(room).toMatchObject({ kind: 'chat', matchId, code: null })
  expect(await joinRoom(cem.client, { matchId })).toMatchObject({ id: room.id })
  expect((await ada.client.call<{ items: { id: string }[] }>('rooms.list')).items).not.toContainEqual(
    expect.objectContaining({ id: room.id }),
  )

  const delayed = (await open({ spectatorDelayMs: 5_000 })).id
  await joinRoom(ada.client, { matchId: delayed })
  expect((await cem.client.request('rooms.join', { matchId: delayed })).error).toBe('FORBIDDEN')
  // Who gives up the seat leaves the chat.
  await ben.client.call('matches.join', { matchId: delayed })
  const own = await joinRoom(ben.client, { matchId: delayed })
  const stream = await follow(ben.client, own.id)
  await ben.client.call('matches.leave', { matchId: delayed })
  const { data } = await stream.events.next(({ error }) => error !== undefined)
  expect(data).toEqual({ reason: 'left' })
  expect((await ben.client.request('rooms.join', { matchId: delayed })).error).toBe('FORBIDDEN')
})
