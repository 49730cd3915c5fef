import { afterAll, beforeAll, expect, test } from 'vitest'
import { roomService } from '../../src/modules/rooms/index.ts'
import type { ChatMessage } from '../../src/modules/rooms/types.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { newcomer, newcomers, openSocket } from '../support/newcomers.ts'
import { matchTimes } from '../support/rally-test.ts'
import { needsRedis, startRedis, type TestRedis } from '../support/redis.ts'
import { runJob } from '../support/run-job.ts'
import { type Rally, startRally } from '../support/server.ts'
import { createRoom, follow, followDirect, followRelay, input, joinRoom, roomEvent, roomTimes } from './support.ts'

needsRedis()

let database: TestDatabase
let redis: TestRedis
let nodes: [Rally, Rally]

const startNode = (secrets?: Rally['config']['secrets']) =>
  startRally({
    database,
    config: { redisUrl: redis.url, matches: matchTimes(), rooms: roomTimes(), ...(secrets && { secrets }) },
  })

beforeAll(async () => {
  ;[database, redis] = await Promise.all([createTestDatabase(), startRedis()])
  const first = await startNode()
  nodes = [first, await startNode(first.config.secrets)]
})
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()))
  await redis[Symbol.asyncDispose]()
  await database.drop()
})

/** A room with a member at each node. */
async function across() {
  const [ada, ben] = [await newcomer(nodes[0]), await newcomer(nodes[1])]
  const { id: roomId } = await createRoom(ada.client)
  await joinRoom(ben.client, { roomId })
  return { ada, ben, roomId }
}

test('chat and members of a room are the same at every node, and nothing is missed at another one', async () => {
  const { ada, ben, roomId } = await across()
  const [first, second] = [await follow(ada.client, roomId), await follow(ben.client, roomId)]
  const say = (client: typeof ada.client, text: string) => client.call<ChatMessage>('rooms.chat', { roomId, text })
  await Promise.all([...Array(10).keys()].map((n) => say(n % 2 === 0 ? ada.client : ben.client, `${n}`)))
  const [seen, other] = [await first.events.take(10), await second.events.take(10)]
  const plain = (events: typeof seen) => events.map(({ seq, data }) => [seq, data])
  expect(plain(seen)).toEqual(plain(other))
  expect(seen.map(({ seq }) => seq)).toEqual([...Array(10).keys()].map((n) => first.opening.seq + 1 + n))

  await ben.drop()
  await roomEvent(first, ({ members }) => members[1]?.connected === false)
  const missed = await say(ada.client, 'missed')
  const moved = await openSocket(nodes[0], ben.player)
  const back = await follow(moved, roomId, other.at(-1)?.seq)
  expect(back.opening).toMatchObject({ missed: expect.arrayContaining([{ seq: missed.seq, data: expect.anything() }]) })
  const after = await roomEvent(first, ({ members }) => members[1]?.connected === true)
  expect(after.members).toHaveLength(2)
})

test('states, actions and signals reach members at other nodes, also what was relayed before', async () => {
  const { ada, ben, roomId } = await across()
  const direct = await followDirect(ben.client, roomId)
  const relay = await followRelay(ben.client, roomId)
  const [from, to] = [ada.player.id, ben.player.id]
  input(ada.client, 'rooms.relay', { roomId, kind: 'state', payload: { x: 1 } })
  expect((await relay.events.next()).data).toEqual({ states: [{ from, kind: 'state', payload: { x: 1 } }] })
  for (let n = 0; n < 50; n++) input(ada.client, 'rooms.relay', { roomId, kind: 'action', payload: n })
  input(ada.client, 'rooms.signal', { roomId, to, payload: 'offer' })
  const payloads: unknown[] = []
  while (payloads.length < 51) payloads.push(...(await direct.events.next()).data.messages.map((each) => each.payload))
  expect(payloads).toEqual([...Array(50).keys(), 'offer'])

  // Nobody at the second node is in the room any more; who comes there gets the states all the same.
  await ben.drop()
  const service = nodes[1].app.platform.use(roomService)
  await eventually(
    async () => service.localRooms,
    (rooms) => rooms === 0,
  )
  await ben.comeBack()
  const again = await followRelay(ben.client, roomId)
  const { snapshot } = again.opening
  if (snapshot?.states.length === 0) {
    expect((await again.events.next()).data.states).toEqual([{ from, kind: 'state', payload: { x: 1 } }])
  } else expect(snapshot?.states).toEqual([{ from, kind: 'state', payload: { x: 1 } }])
})

test('who has left relays nothing from another node either, and hears nothing', async () => {
  const { ada, roomId } = await across()
  const elsewhere = await openSocket(nodes[1], ada.player)
  const streams = [
    await follow(elsewhere, roomId),
    await followRelay(elsewhere, roomId),
    await followDirect(elsewhere, roomId),
  ]
  await ada.client.call('rooms.leave', { roomId })
  for (const { events } of streams) {
    expect(await events.next(({ error }) => error !== undefined)).toMatchObject({ data: { reason: 'left' } })
  }
  const eid = input(elsewhere, 'rooms.relay', { roomId, kind: 'action', payload: 1 })
  expect(await elsewhere.next((message) => message.eid === eid)).toMatchObject({ error: 'NOT_IN_ROOM' })

  // A message between nodes that is lost is made up for: the rows decide.
  const left = await joinRoom(ada.client, { roomId })
  const lost = await follow(elsewhere, roomId)
  await database
    .open()
    .then(({ db }) =>
      db.roomMember.updateMany({ where: { roomId, userId: ada.player.id }, data: { leftAt: new Date() } }),
    )
  const { db } = nodes[0].app.platform.database
  await db.room.update({ where: { id: roomId }, data: { version: left.version + 5 } })
  await runJob(nodes[1], 'rooms.compare')
  expect(await lost.events.next(({ error }) => error !== undefined)).toMatchObject({ data: { reason: 'left' } })
})

test('of 64 who claim a key at two nodes one is first, and the others learn who', async () => {
  const [some, others] = [await newcomers(nodes[0], 8), await newcomers(nodes[1], 8)]
  const all = [...some, ...others]
  const { id: roomId } = await createRoom(all[0]?.client ?? fail(), { capacity: 16 })
  for (const { client } of all.slice(1)) await joinRoom(client, { roomId })
  // Each of them asks by several sockets.
  const racers = [
    ...all.map(({ client }) => client),
    ...(await Promise.all(
      all.flatMap(({ player }) => [nodes[0], nodes[1], nodes[0]].map((node) => openSocket(node, player))),
    )),
  ]
  expect(racers).toHaveLength(64)
  const answers = await Promise.all(
    racers.map((client) =>
      client.call<{ isFirst: boolean; userId: string }>(
        'rooms.claim',
        { roomId, key: 'crown' },
        { deadlineMs: 15_000 },
      ),
    ),
  )
  const winners = answers.filter(({ isFirst }) => isFirst)
  expect(winners).toHaveLength(1)
  expect(new Set(answers.map(({ userId }) => userId))).toEqual(new Set([winners[0]?.userId]))
})

test('members of a node that is gone are away, and leave; the job runs at one node', async () => {
  const third = await startNode(nodes[0].config.secrets)
  const [ada, ben] = [await newcomer(nodes[0]), await newcomer(third)]
  const { id: roomId } = await createRoom(ada.client)
  await joinRoom(ben.client, { roomId })
  const stream = await follow(ada.client, roomId)
  await third.stop()
  await runJob(nodes[0], 'rooms.sweep')
  await roomEvent(stream, ({ members }) => members[1]?.connected === false)
  const { db } = nodes[0].app.platform.database
  await db.roomMember.updateMany({ where: { userId: ben.player.id }, data: { awaySince: new Date(0) } })
  await Promise.all([runJob(nodes[0], 'rooms.sweep'), runJob(nodes[1], 'rooms.sweep').catch(() => undefined)])
  expect((await roomEvent(stream, ({ members }) => members.length === 1)).hostId).toBe(ada.player.id)
})

function fail(): never {
  throw new Error('there is nobody')
}
