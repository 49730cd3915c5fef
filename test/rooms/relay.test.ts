import { expect } from 'vitest'
import type { DirectFrame, RelayFrame } from '../../src/modules/rooms/types.ts'
import { BusFaults } from '../support/bus-faults.ts'
import type { Message } from '../support/client.ts'
import { createTestDatabase } from '../support/database.ts'
import { newcomer, newcomers } from '../support/newcomers.ts'
import { rallyTest } from '../support/rally-test.ts'
import { startRally } from '../support/server.ts'
import { createRoom, followDirect, followRelay, input, joinRoom, roomOf } from './support.ts'

const test = rallyTest()

test('states reach all others, and who comes later gets the newest', async ({ rally }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const { id: roomId } = await roomOf([ada, ben])
  const { events } = await followRelay(ben.client, roomId)
  input(ada.client, 'rooms.relay', { roomId, kind: 'state', payload: { x: 1 } })
  input(ada.client, 'rooms.relay', { roomId, kind: 'entities', payload: ['slime'] })
  input(ada.client, 'rooms.relay', { roomId, kind: 'state', payload: { x: 2 } })
  const from = ada.player.id
  const seen: RelayFrame['states'] = []
  while (!seen.some(({ payload }) => JSON.stringify(payload) === '{"x":2}')) {
    seen.push(...(await events.next()).data.states)
  }
  expect(seen).toContainEqual({ from, kind: 'entities', payload: ['slime'] })
  const late = await followRelay(ada.client, roomId)
  expect(late.opening).toMatchObject({ delivery: 'latest' })
  expect(late.opening.snapshot).toEqual({
    states: [
      { from, kind: 'state', payload: { x: 2 } },
      { from, kind: 'entities', payload: ['slime'] },
    ],
  })
  // What was relayed by somebody who left is gone.
  await ada.client.call('rooms.leave', { roomId })
  expect((await followRelay(ben.client, roomId)).opening.snapshot).toEqual({ states: [] })
})

test('eight players who send fast cost a reader 20 frames a second at most', async ({ rally }) => {
  const players = await newcomers(rally, 8)
  const [ada, ...others] = players
  const { id: roomId } = await createRoom(ada.client)
  for (const { client } of others) await joinRoom(client, { roomId })
  const { events } = await followRelay(ada.client, roomId)
  const rounds = 40
  const begun = performance.now()
  for (let round = 1; round <= rounds; round++) {
    const isOver = new Promise((resolve) => setTimeout(resolve, 25))
    for (const { client } of players) input(client, 'rooms.relay', { roomId, kind: 'state', payload: round })
    await isOver
  }
  const last = new Map<string, unknown>()
  let frames = 0
  while ([...last.values()].filter((round) => round === rounds).length < players.length) {
    const { data } = await events.next()
    frames++
    for (const { from, payload } of data.states) last.set(from, payload)
  }
  const seconds = (performance.now() - begun) / 1000
  expect(frames).toBeGreaterThan(1)
  expect(frames).toBeLessThanOrEqual(20 * seconds + 2)
})

test('actions arrive all and in order; those for one member and signals reach nobody else', async ({ rally }) => {
  const [ada, ben, cem] = await newcomers(rally, 3)
  const { id: roomId } = await roomOf([ada, ben, cem])
  const [own, direct, other] = [
    await followDirect(ada.client, roomId),
    await followDirect(ben.client, roomId),
    await followDirect(cem.client, roomId),
  ]
  const [from, to] = [ada.player.id, ben.player.id]
  for (let n = 0; n < 20; n++) input(ada.client, 'rooms.relay', { roomId, kind: 'action', payload: n })
  input(ada.client, 'rooms.relay', { roomId, kind: 'action', payload: 'yours', to })
  input(ada.client, 'rooms.relay', { roomId, kind: 'state', payload: 'private', to })
  input(ada.client, 'rooms.signal', { roomId, to, payload: { sdp: 'offer' } })
  input(ada.client, 'rooms.relay', { roomId, kind: 'action', payload: 'end' })
  const toBen = await read(direct.events, 24)
  expect(toBen.filter(({ kind }) => kind === 'action').map(({ payload }) => payload)).toEqual([
    ...Array.from({ length: 20 }, (_, n) => n),
    'yours',
    'end',
  ])
  expect(toBen).toContainEqual({ kind: 'signal', from, toAll: false, payload: { sdp: 'offer' } })
  expect(toBen).toContainEqual({ kind: 'state', from, toAll: false, payload: 'private' })
  const toCem = await read(other.events, 21)
  expect(toCem.map(({ payload }) => payload)).toEqual([...Array.from({ length: 20 }, (_, n) => n), 'end'])
  expect(toCem.every(({ toAll }) => toAll)).toBe(true)
  input(cem.client, 'rooms.relay', { roomId, kind: 'action', payload: 'mine' })
  // Nothing of one's own comes back.
  expect(await read(own.events, 1)).toEqual([{ kind: 'action', from: cem.player.id, toAll: true, payload: 'mine' }])
})

test('a member who has left relays nothing more', async ({ rally }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const { id: roomId } = await roomOf([ada, ben])
  const { events } = await followDirect(ben.client, roomId)
  await ada.client.call('rooms.leave', { roomId })
  const eid = input(ada.client, 'rooms.relay', { roomId, kind: 'action', payload: 1 })
  expect(await ada.client.next((message) => message.eid === eid)).toMatchObject({ error: 'NOT_IN_ROOM' })
  await joinRoom(ada.client, { roomId })
  input(ada.client, 'rooms.relay', { roomId, kind: 'action', payload: 2 })
  expect(await read(events, 1)).toMatchObject([{ payload: 2 }])
})

test('while other nodes cannot be reached a stream does not open, and members keep their places', async () => {
  const faults = new BusFaults()
  await using database = await createTestDatabase()
  const shared = { database, cluster: new Map(), faults }
  await using first = await startRally(shared)
  await using second = await startRally({ ...shared, config: { secrets: first.config.secrets } })
  const [ada, ben] = [await newcomer(first), await newcomer(second)]
  faults.ready = Promise.reject(new Error('other nodes cannot be reached'))
  faults.ready.catch(() => undefined)
  const { id: roomId } = await roomOf([ada, ben])
  await expect(followRelay(ben.client, roomId)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  faults.ready = Promise.resolve()
  // The first attempt finds the old subscription, and begins a new one.
  for (const { client } of [ada, ben]) await followDirect(client, roomId).catch(() => undefined)
  const [relay, { opening }] = [await followRelay(ben.client, roomId), await followRelay(ada.client, roomId)]
  expect(opening.delivery).toBe('latest')
  input(ada.client, 'rooms.relay', { roomId, kind: 'state', payload: 1 })
  expect((await relay.events.next()).data.states).toEqual([{ from: ada.player.id, kind: 'state', payload: 1 }])
  const { members } = await joinRoom(ben.client, { roomId })
  expect(members.map(({ connected }) => connected)).toEqual([true, true])
})

/** The next so many messages of a direct stream, whose frames have to follow each other. */
async function read(
  events: { next(): Promise<Message<DirectFrame>> },
  count: number,
): Promise<DirectFrame['messages'][number][]> {
  const messages: DirectFrame['messages'][number][] = []
  let seq: number | undefined
  while (messages.length < count) {
    const event = await events.next()
    if (seq !== undefined) expect(event.seq).toBe(seq + 1)
    seq = event.seq
    messages.push(...event.data.messages)
  }
  return messages
}
