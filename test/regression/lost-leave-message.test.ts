import { expect, test } from 'vitest'
import { leaveMatch } from '../../src/modules/matches/match-writes.ts'
import { seatTwo, startQuickRally } from '../matches/support.ts'

// That a player leaves was told to the process that runs the match by a message alone: one that was lost kept the match
// going.
test('a player who leaves a live match loses it though the message is lost', async () => {
  await using rally = await startQuickRally()
  const { first, follower, matchId } = await seatTwo(rally)
  await follower.live()
  // What the request writes, without what it then tells.
  const { sql } = rally.app.platform.database
  expect(await leaveMatch(sql, matchId, first.player.id)).toMatchObject({ isSeated: true, isDone: true })
  expect(await follower.over(12_000)).toMatchObject({ status: 'finished', winnerSeat: 1, endReason: 'forfeit' })
}, 30_000)
