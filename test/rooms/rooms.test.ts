import { createHmac } from 'node:crypto'
import { expect } from 'vitest'
import type { PastRoom, Room } from '../../src/modules/rooms/types.ts'
import { newcomer, newcomers, openSocket } from '../support/newcomers.ts'
import { rallyTest } from '../support/rally-test.ts'
import { runJob } from '../support/run-job.ts'
import { createRoom, follow, joinRoom, roomEvent, roomOf, roomTimes } from './support.ts'

const ice = { stunUrls: ['stun:stun.test:3478'], turnUrls: ['turn:turn.test:3478'], turnSecret: 'shared' }
const test = rallyTest({ config: { ice, rooms: roomTimes({ maxActive: 3, comeBackMs: 60_000 }) } })

test('a room is opened, found by its code and by its id, and left: the host hands over', async ({ rally }) => {
  const [ada, ben, cem] = await newcomers(rally, 3)
  const room = await createRoom(ada.client, { name: ' Caves ' })
  expect(room).toMatchObject({ name: 'Caves', kind: 'coop', capacity: 8, hostId: ada.player.id, visibility: 'public' })
  const { opening, events } = await follow(ada.client, room.id)
  expect(opening).toMatchObject({ delivery: 'reliable', seq: room.version, snapshot: { room, chat: [], claims: [] } })
  const joined = await joinRoom(ben.client, { code: room.code })
  expect(joined.members.map(({ userId, connected }) => [userId, connected])).toEqual([
    [ada.player.id, true],
    [ben.player.id, true],
  ])
  expect(await events.next()).toMatchObject({ seq: joined.version, data: { kind: 'room', room: joined } })
  // Who is there already gets the room as it is.
  expect(await joinRoom(ben.client, { roomId: room.id })).toEqual(joined)
  await joinRoom(cem.client, { roomId: room.id })

  const stream = await follow(cem.client, room.id)
  await ada.client.call('rooms.leave', { roomId: room.id })
  const after = await roomEvent(stream, ({ members }) => members.length === 2)
  expect(after).toMatchObject({ hostId: ben.player.id, version: joined.version + 2 })
  // The one who left gets nothing more of it.
  await events.next(({ data }) => data.kind === 'room')
  expect(await events.next()).toMatchObject({ error: 'STREAM_CLOSED', data: { reason: 'left' } })
})

test('what is refused', async ({ rally }) => {
  const [ada, ben, cem] = await newcomers(rally, 3)
  const anonymous = await openSocket(rally)
  const room = await roomOf([ada, ben], { kind: 'call', capacity: 2 })
  const roomId = room.id
  const code = async (answer: Promise<{ error?: string }>) => (await answer).error
  const nowhere = { roomId: 'none' }
  const cases: [string, object, string][] = [
    ['rooms.join', nowhere, 'NOT_FOUND'],
    ['rooms.join', { code: 'ZZZZZZ' }, 'NOT_FOUND'],
    ['rooms.join', { matchId: 'none' }, 'NOT_FOUND'],
    ['rooms.join', { roomId }, 'ROOM_FULL'],
    ['rooms.leave', { roomId }, 'NOT_IN_ROOM'],
    ['rooms.chat', { roomId, text: 'x' }, 'NOT_IN_ROOM'],
    ['rooms.chat', { roomId, text: '   ' }, 'VALIDATION_FAILED'],
    ['rooms.chat', { roomId, text: 'x'.repeat(501) }, 'VALIDATION_FAILED'],
    ['rooms.claim', { roomId, key: 'coin' }, 'NOT_IN_ROOM'],
    ['rooms.claim', nowhere, 'VALIDATION_FAILED'],
    ['rooms.relay', { roomId, kind: 'state', payload: 1 }, 'NOT_IN_ROOM'],
    ['rooms.relay', { ...nowhere, kind: 'state', payload: 1 }, 'NOT_FOUND'],
    ['rooms.signal', { roomId, to: ada.player.id, payload: 1 }, 'NOT_IN_ROOM'],
    ['rooms.iceServers', { roomId }, 'NOT_IN_ROOM'],
    ['rooms.onRoom', { roomId }, 'NOT_IN_ROOM'],
    ['rooms.onRoom', nowhere, 'NOT_FOUND'],
    ['rooms.onRelay', { roomId }, 'NOT_IN_ROOM'],
    ['rooms.onRelay', nowhere, 'NOT_FOUND'],
    ['rooms.onDirect', { roomId }, 'NOT_IN_ROOM'],
    ['rooms.onDirect', nowhere, 'NOT_FOUND'],
    ['rooms.create', { name: 'x', kind: 'call', capacity: 9 }, 'VALIDATION_FAILED'],
    ['rooms.create', { name: 'x', kind: 'dance' }, 'VALIDATION_FAILED'],
  ]
  for (const [type, data, error] of cases) {
    expect([type, data, await code(cem.client.request(type, data))]).toEqual([type, data, error])
    if (error !== 'VALIDATION_FAILED') expect(await code(anonymous.request(type, data))).toBe('UNAUTHENTICATED')
  }
  expect(await code(ada.client.request('rooms.signal', { roomId, to: cem.player.id, payload: 1 }))).toBe('NOT_FOUND')
  const long = { roomId, kind: 'state', payload: 'x'.repeat(4_096) }
  expect(await code(ada.client.request('rooms.relay', long))).toBe('VALIDATION_FAILED')

  for (let rooms = 0; rooms < 3; rooms++) await createRoom(cem.client)
  expect(await code(cem.client.request('rooms.create', { name: 'x', kind: 'coop' }))).toBe('TOO_MANY_ROOMS')
  await ben.client.call('rooms.leave', { roomId })
  expect(await code(cem.client.request('rooms.join', { roomId }))).toBe('TOO_MANY_ROOMS')
  expect(await rally.app.platform.database.db.room.count({ where: { name: 'x' } })).toBe(0)
})

test('a member who comes back in time has the same place; one who does not leaves', async ({ rally, database }) => {
  const [ada, ben, cem] = await newcomers(rally, 3)
  const room = await roomOf([ada, ben, cem])
  const stream = await follow(cem.client, room.id)
  await ada.drop()
  const away = await roomEvent(stream, ({ members }) => members[0]?.connected === false)
  expect(away).toMatchObject({ hostId: ada.player.id, members: [{ userId: ada.player.id }, {}, {}] })
  await ada.comeBack()
  await follow(ada.client, room.id)
  const back = await roomEvent(stream, ({ members }) => members[0]?.connected === true)
  expect(back.members[0]?.joinedAt).toBe(room.members[0]?.joinedAt)

  await ada.drop()
  await roomEvent(stream, ({ members }) => members[0]?.connected === false)
  await runJob(rally, 'rooms.sweep')
  const long = new Date(Date.now() - 61_000)
  await database.db.roomMember.updateMany({ where: { userId: ada.player.id }, data: { awaySince: long } })
  await runJob(rally, 'rooms.sweep')
  const left = await roomEvent(stream, ({ members }) => members.length === 2)
  expect(left.hostId).toBe(ben.player.id)
  await ada.comeBack()
  await expect(follow(ada.client, room.id)).rejects.toMatchObject({ code: 'NOT_IN_ROOM' })
})

test('an empty room closes, and is kept with its participants for their history', async ({
  rally,
  database: { db },
}) => {
  const [ada, ben] = await newcomers(rally, 2)
  const { id: roomId, code } = await roomOf([ada, ben], { name: 'Short' })
  const listed = async (kind?: string) => {
    const { items } = await ada.client.call<{ items: Room[] }>('rooms.list', { limit: 100, kind })
    return items.some(({ id }) => id === roomId)
  }
  const hidden = await createRoom(ada.client, { visibility: 'private' })
  expect([await listed(), await listed('coop'), await listed('call')]).toEqual([true, true, false])
  const { items } = await ada.client.call<{ items: Room[] }>('rooms.list')
  expect(items.map(({ id }) => id)).not.toContain(hidden.id)
  // Anybody may read the list: it says neither who is there nor with which code others come in.
  expect(items.find(({ id }) => id === roomId)).toEqual({
    id: roomId,
    name: 'Short',
    kind: 'coop',
    capacity: 8,
    createdAt: expect.any(Number),
    memberCount: 2,
  })

  await ben.client.call('rooms.leave', { roomId })
  await ada.client.call('rooms.leave', { roomId })
  expect(await listed()).toBe(false)
  const ago = (ms: number) => new Date(Date.now() - ms)
  await db.room.update({ where: { id: roomId }, data: { createdAt: ago(90_000), emptyAt: ago(61_000) } })
  await runJob(rally, 'rooms.sweep')
  const answer = await ben.client.request('rooms.join', { code })
  expect(answer.error).toBe('NOT_FOUND')

  const history = await ben.client.call<{ items: PastRoom[] }>('rooms.history')
  expect(history.items).toMatchObject([
    {
      id: roomId,
      name: 'Short',
      kind: 'coop',
      closedAt: expect.any(Number),
      participants: [{ userId: ada.player.id }, { userId: ben.player.id, leftAt: expect.any(Number) }],
    },
  ])
  const [past] = history.items
  for (const { durationMs } of past?.participants ?? []) expect(durationMs).toBeLessThanOrEqual(past?.durationMs ?? 0)
  expect(await (await newcomer(rally)).client.call('rooms.history')).toEqual({ items: [] })

  await db.room.update({ where: { id: roomId }, data: { closedAt: new Date(0) } })
  await runJob(rally, 'rooms.deleteOld')
  expect(await ben.client.call('rooms.history')).toEqual({ items: [] })
})

test('credentials for the TURN server are those that it computes, and end after an hour', async ({ rally }) => {
  const ada = await newcomer(rally)
  const { id: roomId } = await createRoom(ada.client, { kind: 'call' })
  const given = await ada.client.call<{ iceServers: { urls: string[]; username: string; credential: string }[] }>(
    'rooms.iceServers',
    { roomId },
  )
  const [stun, turn] = given.iceServers
  expect(stun).toEqual({ urls: ice.stunUrls })
  const [expiry, userId] = turn?.username.split(':') ?? []
  expect(userId).toBe(ada.player.id)
  expect(Math.abs(Number(expiry) - (Date.now() / 1000 + 3_600))).toBeLessThan(60)
  const credential = createHmac('sha1', ice.turnSecret).update(`${expiry}:${userId}`).digest('base64')
  expect(turn).toMatchObject({ urls: ice.turnUrls, credential })
})
