import { expect } from 'vitest'
import { OwnedMatches } from '../../../src/modules/matches/lifecycle/owned-matches.ts'
import { MatchFeed } from '../../../src/modules/matches/match-feed.ts'
import type { MatchMode } from '../../../src/modules/matches/types.ts'
import { newcomers } from '../../support/newcomers.ts'
import { rallyTest } from '../../support/rally-test.ts'
import { leaveBehind } from '../support.ts'

const test = rallyTest()

const NODE = 'another-node'
const END = { scores: [1, 0], winnerSeat: 0, placements: [1, 2], endReason: null, ticks: 1, finalState: {}, inputs: {} }

const results = [
  ['ranked', true, 1],
  ['ranked', false, 0],
  ['casual', true, 0],
  ['bot', true, 0],
  ['local', true, 0],
] as const

test.for<readonly [MatchMode, boolean, number]>(results)(
  'a result of mode %s that is stored twice, where every player has an account: %s, counts so often: %i',
  async ([mode, hasAccounts, played], { rally, database }) => {
    const { db } = database
    const [ada, ben] = await newcomers(rally, 2)
    await db.node.upsert({
      where: { id: NODE },
      update: {},
      create: { id: NODE, heartbeatAt: new Date(Date.now() + 60_000) },
    })
    const matchId = await leaveBehind(database, {
      node: NODE,
      userId: ada.player.id,
      status: 'live',
    })
    await db.match.update({
      where: { id: matchId },
      data: {
        mode,
        fence: 1,
        seats: { create: { seat: 1, userId: hasAccounts ? ben.player.id : null, displayName: 'y' } },
      },
    })
    const platform = { ...rally.app.platform, node: NODE }
    const owned = new OwnedMatches(platform, new MatchFeed(platform), () => expect.unreachable())
    const result = { ...END, matchId, node: NODE, fence: 1, finishedAt: Date.now() }
    await Promise.all([owned.finish(result), owned.finish(result)])
    await owned.finish(result)
    const ratings = await db.rating.findMany({ where: { userId: { in: [ada.player.id, ben.player.id] } } })
    expect(ratings.reduce((sum, rating) => sum + rating.played, 0)).toBe(2 * played)
    expect(ratings).toHaveLength(2 * played)
    expect(await db.ratingChange.count({ where: { matchId } })).toBe(2 * played)
  },
)
