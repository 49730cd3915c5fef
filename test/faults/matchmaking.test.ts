import { randomInt } from 'node:crypto'
import { expect } from 'vitest'
import { matchService } from '../../src/modules/matches/index.ts'
import type { QueueState } from '../../src/modules/matches/types.ts'
import { inTransaction } from '../../src/modules/scope.ts'
import { eventually } from '../support/eventually.ts'
import { newcomers } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'
import { figure } from './figure.ts'

const PLAYERS = 1_000

// None of them begins: five hundred live matches are another test.
const test = rallyTest({ config: { matches: matchTimes({ countdownMs: 60_000 }) } })

test('a thousand players who ask at once are all matched within ten seconds', async ({ rally, database: { db } }) => {
  // The test may run twice on one database.
  const crowd = randomInt(100_000)
  const ids = Array.from({ length: PLAYERS }, (_, index) => `crowd_${crowd}_${index}`)
  await db.user.createMany({
    data: ids.map((id) => ({ id, username: id, displayName: id, totpKeyId: 'none', totpSecret: new Uint8Array() })),
  })
  await db.rating.createMany({
    data: ids.map((userId, index) => {
      const rating = 1_200 + ((index * 7_919) % 600)
      return {
        userId,
        game: 'pong',
        rating,
        deviation: 80,
        volatility: 0.06,
        played: 9,
        won: 4,
        standing: 0,
        ratedAt: new Date(),
      }
    }),
  })
  // As if each had a page at this node.
  const nodeId = rally.app.platform.node
  await db.presence.createMany({ data: ids.map((userId) => ({ userId, nodeId })) })
  const { platform } = rally.app
  const { queue } = platform.use(matchService)
  const begunAt = performance.now()
  const askers = Array.from({ length: 8 }, async (_, asker) => {
    for (const id of ids.filter((_, index) => index % 8 === asker)) {
      await inTransaction(platform, (scope) => queue.enqueue(scope, id, 'pong'))
    }
  })
  await Promise.all(askers)
  await eventually(
    () => db.queueEntry.count({ where: { userId: { in: ids }, matchId: { not: null } } }),
    (matched) => matched === PLAYERS,
  )
  const tookMs = performance.now() - begunAt
  figure('1,000 players matched', tookMs, 'ms')
  expect(tookMs).toBeLessThan(10_000)
  const seats = await db.seat.findMany({ where: { userId: { in: ids } } })
  expect(new Set(seats.map(({ userId }) => userId)).size).toBe(PLAYERS)
  expect(seats).toHaveLength(PLAYERS)
}, 60_000)

test('two players who ask are in one match within a second', async ({ rally }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const stream = await ada.client.subscribe<QueueState>('matches.onQueue', {})
  await ada.client.call('matches.enqueue', { game: 'connect-four' })
  const begunAt = performance.now()
  await ben.client.call('matches.enqueue', { game: 'connect-four' })
  await stream.events.next(({ data }) => data.status === 'matched')
  const tookMs = performance.now() - begunAt
  figure('two players matched', tookMs, 'ms')
  expect(tookMs).toBeLessThan(1_000)
})
