import { expect } from 'vitest'
import { newcomers } from '../support/newcomers.ts'
import { rallyTest } from '../support/rally-test.ts'
import { createRoom, follow, followDirect, followRelay, input, joinRoom, roomOf } from './support.ts'

const test = rallyTest()

test('a room is opened, found by its code, and left: the host hands over', async ({ rally }) => {
  const [ada, ben] = await newcomers(rally, 2)
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
  const stream = await follow(ben.client, room.id)
  await ada.client.call('rooms.leave', { roomId: room.id })
  expect(await stream.events.next()).toMatchObject({ data: { room: { hostId: ben.player.id, members: [{}] } } })
  expect(await events.next()).toMatchObject({ error: 'STREAM_CLOSED', data: { reason: 'left' } })
  await expect(ada.client.call('rooms.leave', { roomId: room.id })).rejects.toMatchObject({ code: 'NOT_IN_ROOM' })
})

test('relay, signal and claim', async ({ rally }) => {
  const [ada, ben, cem] = await newcomers(rally, 3)
  const { id: roomId } = await roomOf([ada, ben, cem])
  const relay = await followRelay(ben.client, roomId)
  const direct = await followDirect(ben.client, roomId)
  input(ada.client, 'rooms.relay', { roomId, kind: 'state', payload: { x: 1 } })
  expect(await relay.events.next()).toMatchObject({
    data: { states: [{ from: ada.player.id, kind: 'state', payload: { x: 1 } }] },
  })
  input(ada.client, 'rooms.signal', { roomId, to: ben.player.id, payload: { sdp: 'x' } })
  expect(await direct.events.next()).toMatchObject({
    data: { messages: [{ kind: 'signal', from: ada.player.id, toAll: false, payload: { sdp: 'x' } }] },
  })
})
