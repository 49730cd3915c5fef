import { expect, test } from 'vitest'
import { type Match, QueueState } from '../../../src/modules/matches/types.ts'
import { createTestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { type Newcomer, newcomers, openSocket } from '../../support/newcomers.ts'
import { startTwo } from '../support.ts'

const enqueue = ({ client }: Newcomer) => client.call('matches.enqueue', { game: 'pong' })

test('players of two nodes are matched with one another, nobody twice, and a node that leaves takes nobody along', async () => {
  await using database = await createTestDatabase()
  const nodes = await startTwo(database)
  const [one, two] = nodes
  try {
    const [ada, ben] = [(await newcomers(one, 1))[0], (await newcomers(two, 1))[0]]
    const stream = await ada.client.subscribe<unknown, unknown>('matches.onQueue', {})
    await enqueue(ada)
    await enqueue(ben)
    const found = await stream.events.next(({ data }) => QueueState.parse(data).status === 'matched')
    const { matchId } = QueueState.parse(found.data)
    const match = await ben.client.call<Match>('matches.getOne', { matchId })
    expect(match.players.map(({ userId }) => userId).sort()).toEqual([ada.player.id, ben.player.id].sort())

    // Chaos: they ask and give up on both nodes at once, again and again.
    const { db } = await database.open()
    const crowd = (await Promise.all(nodes.map((node) => newcomers(node, 10)))).flat()
    await Promise.all(
      crowd.map(async (player, index) => {
        for (let round = 0; round < 4; round++) {
          await enqueue(player)
          if ((index + round) % 3 === 0) await player.client.call('matches.dequeue', {})
        }
        await enqueue(player)
      }),
    )
    const userIds = crowd.map(({ player }) => player.id)
    const entries = () => db.queueEntry.findMany({ where: { userId: { in: userIds } } })
    const matched = await eventually(entries, (all) => all.every(({ status }) => status === 'matched'))
    const seats = await db.seat.findMany({ where: { userId: { in: userIds }, match: { origin: 'queue' } } })
    expect(seats).toHaveLength(crowd.length)
    expect(new Set(seats.map(({ userId }) => userId)).size).toBe(crowd.length)
    for (const { userId, matchId: own } of matched) {
      expect(seats.find((seat) => seat.userId === userId)?.matchId).toBe(own)
    }

    // Cem waits on a node that leaves, and is matched on the other one.
    const [cem, dee] = [(await newcomers(one, 1))[0], (await newcomers(two, 1))[0]]
    await enqueue(cem)
    await one.stop()
    const back = await openSocket(two, cem.player)
    await enqueue(dee)
    const where = { userId: cem.player.id }
    await eventually(
      () => db.queueEntry.findUniqueOrThrow({ where }),
      ({ status }) => status === 'matched',
    )
    await back.call('matches.dequeue', {})
  } finally {
    await Promise.all(nodes.map((node) => node.stop()))
  }
}, 60_000)
