import { type Sql, statement } from '../../db/sql.ts'
import type { CallerUser } from '../../rpc/index.ts'
import { service } from '../define.ts'
import type { Scope } from '../scope.ts'
import { readBosses } from './bosses.ts'
import { GameModes } from './game-modes.ts'
import { LeaderboardFeed } from './leaderboard-feed.ts'
import { allScores, readScoresOfName, readScoresOfUser } from './player-scores.ts'
import { type Submission, submitScore } from './submit-score.ts'
import type { Period, Score } from './types.ts'

const USER_ID = statement<{ id: string }>('scores.userId', 'SELECT id FROM users WHERE username = lower($1)')

export const scoreService = service('scores', (platform) => {
  const feed = new LeaderboardFeed(platform)
  const modes = new GameModes(platform.database.sql)
  return {
    start: () => feed.start(),
    stop: () => feed.stop(),

    /** The live list of a leaderboard, with its `seq`. */
    follow: (gameMode: string, period: Period) => feed.read(gameMode, period),
    gameModes: () => modes.list(),

    async submit(scope: Scope, user: CallerUser, submission: Submission) {
      const submitted = await submitScore(scope, user, submission)
      scope.afterCommit(() => {
        for (const period of submitted.changed) feed.touch(submission.gameMode, period)
        if (submitted.isNewMode) modes.forget()
      })
      return submitted
    },

    async userId(sql: Sql, username: string): Promise<string | undefined> {
      return (await sql.first(USER_ID, [username]))?.id
    },

    /** The kept scores of the user of this name, else those that were submitted under this name. */
    async scoresOf(sql: Sql, name: string, options: { gameMode: string | undefined; limit: number }): Promise<Score[]> {
      const owner = await sql.first(USER_ID, [name])
      return owner ? readScoresOfUser(sql, owner.id, options) : readScoresOfName(sql, name, options)
    },

    async exportOf(userId: string, sql: Sql) {
      const [scores, bosses] = await Promise.all([allScores(sql, userId), readBosses(sql, userId)])
      return { scores, bosses }
    },
  }
})
