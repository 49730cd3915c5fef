import { describe, expect } from 'vitest'
import { games } from '../../../src/games/index.ts'
import { pong } from '../../../src/games/pong/index.ts'
import { matchService } from '../../../src/modules/matches/index.ts'
import { type Match, QueueState, Rated } from '../../../src/modules/matches/types.ts'
import { inTransaction } from '../../../src/modules/scope.ts'
import { eventually } from '../../support/eventually.ts'
import { type Newcomer, newcomers, openSocket } from '../../support/newcomers.ts'
import { matchTimes, rallyTest } from '../../support/rally-test.ts'
import { runJob } from '../../support/run-job.ts'
import { type Rally, register } from '../../support/server.ts'
import { create, follow, playConnectFour } from '../support.ts'

const test = rallyTest({
  config: { matches: matchTimes({ comeBackMs: 500, maxActive: 2 }) },
  games: { ...games, patience: { ...pong, name: 'patience', seats: 1 } },
})

async function queueOf({ client }: Newcomer) {
  const stream = await client.subscribe<unknown, unknown>('matches.onQueue', {})
  if (!('snapshot' in stream.opening)) throw new Error('the queue has a snapshot')
  const opened = QueueState.parse(stream.opening.snapshot)
  return {
    opened,
    until: async (status: QueueState['status']) =>
      QueueState.parse((await stream.events.next(({ data }) => QueueState.parse(data).status === status)).data),
  }
}

const enqueue = async ({ client }: Newcomer, game = 'pong') =>
  QueueState.parse(await client.call('matches.enqueue', { game }))

/** Two players who were matched, and their match. */
async function matched(rally: Rally, game = 'pong') {
  const players = await newcomers(rally, 2)
  const [ada, ben] = players
  const queue = await queueOf(ada)
  await enqueue(ada, game)
  await enqueue(ben, game)
  const { matchId } = await queue.until('matched')
  if (matchId === null) throw new Error('a match was found')
  const follower = await follow(ada.client, matchId)
  const bySeat = follower.latest.players.map(({ userId }) => players.find(({ player }) => player.id === userId) ?? ada)
  return { players, queue, matchId, follower, bySeat }
}

test.beforeEach(async ({ database }) => {
  await database.db.queueEntry.deleteMany({ where: { status: 'waiting' } })
})

describe('two who wait', () => {
  test('are in one ranked match, with both seats taken, and are told at once', async ({ rally }) => {
    const [ada, ben] = await newcomers(rally, 2)
    const queues = [await queueOf(ada), await queueOf(ben)]
    expect(queues[0]?.opened).toMatchObject({ status: 'idle', game: null, since: null, window: null, matchId: null })
    const asked = await enqueue(ada)
    expect(asked).toMatchObject({ status: 'waiting', game: 'pong' })
    expect(asked.window).toBeGreaterThanOrEqual(50)
    expect((await enqueue(ada)).queues.find(({ game }) => game === 'pong')?.waiting).toBe(1)
    await enqueue(ben)
    const found = await Promise.all(queues.map((queue) => queue.until('matched')))
    expect(found[0]?.matchId).toBe(found[1]?.matchId)
    const match = await ada.client.call<Match>('matches.getOne', { matchId: found[0]?.matchId })
    expect(match).toMatchObject({ mode: 'ranked', game: 'pong', visibility: 'public' })
    expect(match.players.map(({ userId }) => userId).sort()).toEqual([ada.player.id, ben.player.id].sort())
    expect(found[0]?.queues.find(({ game }) => game === 'pong')).toMatchObject({ waiting: 0 })
    for (const { client } of [ada, ben]) await client.call('matches.leave', { matchId: match.id })
  })

  test('of different games are not matched, and one who asks for another game changes over', async ({ rally }) => {
    const [ada, ben] = await newcomers(rally, 2)
    const queue = await queueOf(ben)
    await enqueue(ada, 'pong')
    expect(await enqueue(ben, 'connect-four')).toMatchObject({ status: 'waiting', game: 'connect-four' })
    await runJob(rally, 'matches.pair')
    expect(await enqueue(ben, 'pong')).toMatchObject({ status: 'waiting', game: 'pong' })
    await queue.until('matched')
  })

  test('with ratings far apart are matched once both windows are wide enough', async ({ rally, database }) => {
    const [ada, ben] = await newcomers(rally, 2)
    await database.db.rating.create({
      data: {
        userId: ben.player.id,
        game: 'pong',
        rating: 1900,
        deviation: 50,
        volatility: 0.06,
        played: 9,
        won: 9,
        standing: 1800,
        ratedAt: new Date(),
      },
    })
    const queue = await queueOf(ada)
    await enqueue(ada)
    await enqueue(ben)
    const waitFor = (userId: string, seconds: number) =>
      database.db.queueEntry.update({ where: { userId }, data: { since: new Date(Date.now() - seconds * 1_000) } })
    await waitFor(ada.player.id, 30)
    await runJob(rally, 'matches.pair')
    expect(await database.db.queueEntry.count({ where: { status: 'matched', userId: ada.player.id } })).toBe(0)
    await waitFor(ben.player.id, 15)
    await runJob(rally, 'matches.pair')
    expect(await queue.until('matched')).toMatchObject({ status: 'matched' })
  })
})

describe('who waits', () => {
  test('leaves the queue when asked, and is told where they stand when they ask too late', async ({ rally }) => {
    const [ada, ben, cem] = await newcomers(rally, 3)
    await enqueue(ada)
    expect(await ada.client.call('matches.dequeue', {})).toMatchObject({ status: 'idle' })
    await enqueue(ben)
    await enqueue(cem)
    const queue = await queueOf(cem)
    const { matchId } = queue.opened.status === 'matched' ? queue.opened : await queue.until('matched')
    expect(await ben.client.call('matches.dequeue', {})).toMatchObject({ status: 'matched', matchId })
    // A match waits for them, so asking again changes nothing.
    expect(await enqueue(ben)).toMatchObject({ status: 'matched', matchId })
  })

  test('survives a reload, and leaves the queue once the page is gone for ten seconds', async ({ rally, database }) => {
    const [ada] = await newcomers(rally, 1)
    await enqueue(ada)
    const where = { userId: ada.player.id }
    const entry = () => database.db.queueEntry.findUniqueOrThrow({ where })
    const seen = async () => {
      await runJob(rally, 'matches.pair')
      return entry()
    }
    const longAgo = () => database.db.queueEntry.update({ where, data: { enqueuedAt: new Date(Date.now() - 5_000) } })
    await longAgo()
    await ada.drop()
    await eventually(seen, ({ awaySince }) => awaySince !== null)
    await ada.comeBack()
    expect(await eventually(seen, ({ awaySince }) => awaySince === null)).toMatchObject({ status: 'waiting' })
    await ada.drop()
    await eventually(seen, ({ awaySince }) => awaySince !== null)
    await database.db.queueEntry.update({ where, data: { awaySince: new Date(Date.now() - 11_000) } })
    await runJob(rally, 'matches.pair')
    expect(await entry()).toMatchObject({ status: 'idle' })
  })

  test('is at the front again when the opponent leaves before it begins', async ({ rally, database }) => {
    const { players, queue, matchId, bySeat } = await matched(rally)
    const [ada] = players
    const other = bySeat.find((player) => player !== ada)
    const { since } = await database.db.queueEntry.findUniqueOrThrow({ where: { userId: ada.player.id } })
    await other?.client.call('matches.leave', { matchId })
    await runJob(rally, 'matches.pair')
    expect(await queue.until('waiting')).toMatchObject({ since: since.getTime(), matchId: null })
    expect(await other?.client.call('matches.dequeue', {})).toMatchObject({ status: 'idle' })
    expect(await ada.client.call('matches.getOne', { matchId })).toMatchObject({
      status: 'aborted',
      endReason: 'nobody-came',
    })
    await ada.client.call('matches.dequeue', {})
  })

  test('is at the front again when the opponent does not come within ten seconds', async ({ rally, database }) => {
    const [ada] = await newcomers(rally, 1)
    const queue = await queueOf(ada)
    const { since } = await enqueue(ada)
    // Without a socket. Who has just asked is matched all the same.
    const absent = await register(rally.url, 'never_comes')
    const { platform } = rally.app
    await inTransaction(platform, (scope) => platform.use(matchService).queue.enqueue(scope, absent.id, 'pong'))
    const { matchId } = await queue.until('matched')
    await runJob(rally, 'matches.pair')
    const match = () => ada.client.call<Match>('matches.getOne', { matchId })
    expect(await match()).toMatchObject({ status: 'waiting', startsAt: null })
    await database.db.match.update({
      where: { id: matchId ?? '' },
      data: { updatedAt: new Date(Date.now() - 10_500) },
    })
    await runJob(rally, 'matches.pair')
    expect(await queue.until('waiting')).toMatchObject({ since, matchId: null })
    expect(await match()).toMatchObject({ status: 'aborted', endReason: 'nobody-came' })
    const entry = await database.db.queueEntry.findUniqueOrThrow({ where: { userId: absent.id } })
    expect(entry).toMatchObject({ status: 'idle', matchId: null })
  })

  test('is refused for an unknown game or one for a single player, with too many matches, and while banned', async ({
    rally,
    database,
  }) => {
    const [ada, ben] = await newcomers(rally, 2)
    for (const game of ['chess', 'patience']) {
      await expect(enqueue(ada, game)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    }
    for (let count = 0; count < 2; count++) await create(ada.client)
    await expect(enqueue(ada)).rejects.toMatchObject({ code: 'TOO_MANY_MATCHES' })
    // As another node has just written it, which has not told this one yet.
    const { id } = ben.player
    await database.db.user.update({ where: { id }, data: { bannedAt: new Date(), banReason: 'cheats' } })
    await expect(enqueue(ben)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    expect(await database.db.queueEntry.count({ where: { userId: { in: [id, ada.player.id] } } })).toBe(0)
  })

  test('has to be signed in', async ({ rally }) => {
    const anybody = await openSocket(rally)
    for (const type of ['matches.enqueue', 'matches.dequeue', 'matches.invite', 'matches.acceptInvite']) {
      await expect(anybody.call(type, {})).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    }
    for (const type of ['matches.onQueue', 'matches.onInvite']) {
      await expect(anybody.subscribe(type, {})).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    }
  })
})

describe('a ranked result', () => {
  test('moves both ratings with the result, once, and shows it to everybody', async ({ rally, database }) => {
    const { players, queue, matchId, follower, bySeat } = await matched(rally, 'connect-four')
    await follower.live()
    await database.db.match.findUniqueOrThrow({ where: { id: matchId } })
    const { options } = follower.latest
    if (options.first === 0)
      await playConnectFour(
        bySeat.map(({ client }) => client),
        matchId,
      )
    else await bySeat[1]?.client.call('matches.leave', { matchId })
    const over = await follower.over()
    expect(over).toMatchObject({ status: 'finished', winnerSeat: 0, placements: [1, 2] })
    const [winner, loser] = over.players.map(({ rating }) => rating)
    expect(winner).toEqual({ before: 1500, after: 1662 })
    expect(loser).toEqual({ before: 1500, after: 1338 })
    expect((await queue.until('idle')).matchId).toBeNull()
    const rows = await database.db.rating.findMany({
      where: { userId: { in: players.map(({ player }) => player.id) } },
    })
    expect(rows.map(({ played, won, standing }) => [played, won, standing]).sort()).toEqual([
      [1, 0, 757],
      [1, 1, 1082],
    ])
    expect(await database.db.ratingChange.count({ where: { matchId } })).toBe(2)
    const top = await players[0].client.call<{ items: Rated[] }>('matches.ratings', { game: 'connect-four' })
    const [best] = top.items.map((item) => Rated.parse(item))
    expect(best).toMatchObject({ userId: over.players[0]?.userId, rating: 1662, played: 1, won: 1 })
  })

  test('by giving up is a loss, and a rematch of it is casual', async ({ rally }) => {
    const { matchId, follower, bySeat } = await matched(rally)
    await follower.live()
    await bySeat[0]?.client.call('matches.leave', { matchId })
    const over = await follower.over()
    expect(over).toMatchObject({ winnerSeat: 1, placements: [2, 1], endReason: 'forfeit' })
    expect(over.players.map(({ rating }) => rating?.after)).toEqual([1338, 1662])
    const again = await bySeat[1]?.client.call<Match>('matches.rematch', { matchId })
    expect(again).toMatchObject({ mode: 'casual', players: [{ rating: null }] })
  })

  test('is listed with the highest standing first, page by page', async ({ rally, database }) => {
    const all = await newcomers(rally, 3)
    for (const [index, { player }] of all.entries()) {
      const rating = {
        rating: 2000 + index,
        deviation: 50,
        volatility: 0.06,
        played: 30,
        won: 20,
        standing: 1900 + index,
      }
      await database.db.rating.create({ data: { ...rating, userId: player.id, game: 'pong', ratedAt: new Date() } })
    }
    const names: string[] = []
    let cursor: string | undefined
    do {
      const page = await all[0].client.call<{ items: Rated[]; nextCursor?: string }>('matches.ratings', {
        game: 'pong',
        limit: 2,
        ...(cursor ? { cursor } : {}),
      })
      names.push(...page.items.map(({ username }) => username))
      cursor = page.nextCursor
    } while (cursor && names.length < 3)
    expect(names.slice(0, 3)).toEqual(all.map(({ player }) => player.username).reverse())
    await expect(all[0].client.call('matches.ratings', { game: 'chess' })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    })
  })
})
