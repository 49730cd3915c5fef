import { expect } from 'vitest'
import { abortAbandoned, EMPTY, UNJOINED } from '../../src/modules/matches/lifecycle/cleanup.ts'
import { matchService } from '../../src/modules/matches/service.ts'
import { eventually } from '../support/eventually.ts'
import { newcomers } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'
import { doDueWork, startTournament } from '../tournaments/support.ts'

// A match of a tournament to which both players were late was aborted as an empty one, however long they had to come.

const test = rallyTest({
  config: { matches: matchTimes(), tournaments: { noShowMs: 600_000, countdownMs: 50, maxActive: 10 } },
})

test('players of a tournament have the time to come that it gives them', async ({ rally, database: { db } }) => {
  const players = await newcomers(rally, 4)
  const follower = await startTournament(players)
  const away = players.slice(1)
  await Promise.all(away.map((player) => player.drop()))
  const connected = { where: { userId: { in: away.map(({ player }) => player.id) } } }
  await eventually(
    () => db.presence.count(connected),
    (count) => count === 0,
  )
  await doDueWork(rally)
  const { matchId } = await follower.pairing(1, 1, 'playing')
  const { platform } = rally.app
  for (const kind of [EMPTY, UNJOINED]) await abortAbandoned(platform, platform.use(matchService).feed, kind, [0])
  expect(await db.match.findUnique({ where: { id: matchId ?? '' } })).toMatchObject({ status: 'waiting' })
})
