import { expect } from 'vitest'
import { statement } from '../../src/db/sql.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { eventually } from '../support/eventually.ts'
import { newcomers } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'
import { doDueWork, startTournament } from '../tournaments/support.ts'

// A player who was away lost at once when the opponent withdrew, and after a restart everybody waited for such a pairing.
// Announced matches of a cancelled tournament waited on.

const test = rallyTest({
  config: { matches: matchTimes(), tournaments: { noShowMs: 60_000, countdownMs: 50, maxActive: 10 } },
})

const LATE = statement('test.late', 'UPDATE tournament_pairings SET come_by = now() WHERE tournament_id = $1')
const LONG_UP = statement('test.longUp', `UPDATE nodes SET started_at = now() - interval '1 day'`)
const JUST_UP = statement('test.justUp', 'UPDATE nodes SET started_at = now()')

test('a player wins against one who withdraws, also while away, and announced matches end with a cancelled tournament', async ({
  rally,
  database: { db, sql },
}) => {
  const players = await newcomers(rally, 4)
  const [owner, second, third, last] = players
  // 1 meets 4, and 2 meets 3.
  const follower = await startTournament(players)
  const away = [third, last]
  await Promise.all(away.map((player) => player.drop()))
  const connected = { where: { userId: { in: away.map(({ player }) => player.id) } } }
  await eventually(
    () => db.presence.count(connected),
    (count) => count === 0,
  )
  await doDueWork(rally)
  await follower.pairing(1, 0, 'playing')
  const { matchId } = await follower.pairing(1, 1, 'playing')
  await owner.client.call('tournaments.leave', { tournamentId: follower.latest.id })
  await sql.rows(JUST_UP)
  await doDueWork(rally)
  expect(await follower.pairing(1, 0, 'decided')).toMatchObject({ winner: 4, decidedBy: 'forfeit' })

  await owner.client.call('tournaments.cancel', { tournamentId: follower.latest.id })
  await Promise.all([sql.rows(LATE, [follower.latest.id]), sql.rows(LONG_UP)])
  await doDueWork(rally)
  const match = await second.client.call<Match>('matches.getOne', { matchId })
  expect(match).toMatchObject({ status: 'aborted', endReason: 'no-show' })
})
