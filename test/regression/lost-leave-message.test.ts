import { expect, test } from 'vitest'
import { leaveMatch } from '../../src/modules/matches/match-writes.ts'
import { seatTwo, startQuickRally } from '../matches/support.ts'

// Only a message told the process that runs the match that a player left: when it was lost, the match went on.
test('a player who leaves a live match loses it even if the message is lost', async () => {
  await using rally = await startQuickRally()
  const { first, follower, matchId } = await seatTwo(rally)
  await follower.live()
  // What the request writes, without its message.
  const { sql } = rally.app.platform.database
  expect(await leaveMatch(sql, matchId, first.player.id)).toMatchObject({ isSeated: true, isDone: true })
  expect(await follower.over(12_000)).toMatchObject({ status: 'finished', winnerSeat: 1, endReason: 'forfeit' })
}, 30_000)
