import { module } from '../define.ts'
import { deletePast, deleteUnused } from './cleanup.ts'
import { best } from './methods/best.ts'
import { bosses } from './methods/bosses.ts'
import { defeatBoss } from './methods/defeatBoss.ts'
import { gameModes } from './methods/gameModes.ts'
import { leaderboard } from './methods/leaderboard.ts'
import { ofPlayer } from './methods/ofPlayer.ts'
import { rank } from './methods/rank.ts'
import { submit } from './methods/submit.ts'
import { scoreRoutes } from './rest-routes.ts'
import { scoreService } from './service.ts'
import { onLeaderboard } from './subscriptions/onLeaderboard.ts'

export { scoreService } from './service.ts'

/** Scores, leaderboards and bosses of games that run anywhere. */
export const scores = module({
  name: 'scores',
  service: scoreService,
  methods: { best, bosses, defeatBoss, gameModes, leaderboard, ofPlayer, rank, submit },
  subscriptions: { onLeaderboard },
  routes: scoreRoutes,
  jobs: {
    deletePast: { everyMs: 60_000, runsOn: 'one node', run: deletePast },
    deleteUnused: { everyMs: 6 * 3_600_000, runsOn: 'one node', run: deleteUnused },
  },
})
