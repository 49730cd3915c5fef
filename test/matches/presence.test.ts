import { expect, test } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { newcomer, openSocket } from '../support/newcomers.ts'
import { create, follow, seatTwo, startQuickRally, startTwo } from './support.ts'

test.concurrent('a player is connected while any node has a socket of theirs', async () => {
  await using database = await createTestDatabase()
  const { db } = await database.open()
  const [a, b] = await startTwo(database)
  await using _a = a
  await using _b = b
  const player = await newcomer(a)
  const elsewhere = await openSocket(b, player.player)
  const nodesOf = (userId: string) => db.presence.count({ where: { userId } })
  const { id } = await create(player.client)
  const isConnected = async () => (await db.seat.findFirstOrThrow({ where: { matchId: id } })).connected
  const becomes = (connected: boolean) => eventually(isConnected, (seen) => seen === connected)
  await eventually(
    () => nodesOf(player.player.id),
    (count) => count === 2,
  )

  // It was written by `a`, whose socket goes; the one to `b` stays.
  await player.drop()
  await eventually(
    () => nodesOf(player.player.id),
    (count) => count === 1,
  )
  expect(await isConnected()).toBe(true)
  elsewhere.socket.terminate()
  await becomes(false)
  await openSocket(b, player.player)
  await becomes(true)
  // A node that stops takes only its own rows along.
  await player.comeBack()
  await eventually(
    () => nodesOf(player.player.id),
    (count) => count === 2,
  )
  await b.app.stop()
  expect(await isConnected()).toBe(true)
  expect(await nodesOf(player.player.id)).toBe(1)
}, 30_000)

test.concurrent('a player with two tabs is connected until the second is closed', async () => {
  await using rally = await startQuickRally({ comeBackMs: 500 })
  const { first, second, follower } = await seatTwo(rally)
  await follower.live()
  const tab = await openSocket(rally, first.player)
  await first.drop()
  // An event that comes later than one about the first tab would.
  await second.drop()
  const dropped = await follower.until(({ players }) => players[1]?.connected === false)
  expect(dropped.players[0]?.connected).toBe(true)
  expect(await follower.over()).toMatchObject({ winnerSeat: 0, endReason: 'forfeit' })
  tab.socket.terminate()
})

test.concurrent('a node that was taken for dead writes again who is connected to it', async () => {
  await using rally = await startQuickRally()
  const { db } = await rally.database.open()
  const { player, client } = await newcomer(rally)
  const follower = await follow(client, (await create(client)).id)
  await eventually(
    () => db.presence.count(),
    (count) => count === 1,
  )
  // What another node does.
  await db.node.delete({ where: { id: rally.app.platform.node } })
  expect(await db.presence.count()).toBe(0)
  await eventually(
    () => db.presence.findMany(),
    (rows) => rows.some(({ userId, nodeId }) => userId === player.id && nodeId === rally.app.platform.node),
  )
  await eventually(
    async () => follower.catchUp().players[0]?.connected,
    (connected) => connected === true,
  )
})

test.concurrent('a player who leaves loses, also when the message to the node that runs the match is lost', async () => {
  await using rally = await startQuickRally()
  const { bus } = rally.app.platform
  const send = bus.send.bind(bus)
  bus.send = (node, topic, message) => {
    if (!topic.endsWith('matches.left')) send(node, topic, message)
  }
  const { first, follower, matchId } = await seatTwo(rally)
  await follower.live()
  await first.client.call('matches.leave', { matchId })
  expect(await follower.over(15_000)).toMatchObject({ status: 'finished', winnerSeat: 1, endReason: 'forfeit' })
}, 30_000)
