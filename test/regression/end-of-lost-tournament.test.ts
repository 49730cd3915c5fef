import { expect } from 'vitest'
import { matchService } from '../../src/modules/matches/index.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { inTransaction } from '../../src/modules/scope.ts'
import { follow } from '../matches/support.ts'
import { newcomers } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'

// The ends of matches failed while their tournament did not exist any more: `matches.leave` answered NOT_FOUND.

const test = rallyTest({ config: { matches: matchTimes() } })

test.for(['waiting', 'live'] as const)(
  'a %s match whose tournament is deleted ends all the same',
  async (status, { rally }) => {
    const [ada, ben] = await newcomers(rally, 2)
    const { match } = await inTransaction(rally.app.platform, (scope) =>
      rally.app.platform.use(matchService).seatPlayers(scope, {
        game: 'pong',
        mode: 'ranked',
        visibility: 'public',
        userIds: [ada.player.id, ben.player.id],
        origin: 'tournament:deleted',
        countdownMs: status === 'live' ? 100 : 60_000,
      }),
    )
    if (!match) throw new Error('nobody is banned')
    const follower = await follow(ada.client, match.id)
    if (status === 'live') await follower.live()
    const leave = ({ client }: typeof ada) => client.call<Match>('matches.leave', { matchId: match.id })
    await leave(ada)
    if (status === 'live') expect(await follower.over()).toMatchObject({ status: 'finished', endReason: 'forfeit' })
    else expect(await leave(ben)).toMatchObject({ status: 'aborted', endReason: 'left' })
  },
)
