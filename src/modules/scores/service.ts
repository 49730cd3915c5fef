import { type Sql, statement } from '../../db/sql.ts'
import type { CallerUser } from '../../rpc/index.ts'
import { service } from '../define.ts'
import type { Scope } from '../scope.ts'
import { readBosses } from './bosses.ts'
import { GameModes } from './game-modes.ts'
import { LeaderboardFeed } from './leaderboard-feed.ts'
import { startOf } from './leaderboard-rows.ts'
import { allScores, readScoresOfName, readScoresOfUser } from './player-scores.ts'
import { playerKeyOf, type Submission, submitScore } from './submit-score.ts'
import type { Period, Score } from './types.ts'

const USER_ID = statement<{ id: string }>('scores.userId', 'SELECT id FROM users WHERE username = $1')
/** The current leaderboards that a user is on. */
const BOARDS_OF_USER = statement<{ gameMode: string; period: Period }>(
  'scores.boardsOfUser',
  `SELECT DISTINCT game_mode AS "gameMode", period
   FROM leaderboard_entries JOIN leaderboards AS board ON board.id = leaderboard_id
   WHERE user_id = $1 AND starts_on = ${startOf('board.period')}`,
)

const DELETE_SCORES = statement('scores.deleteOfUser', 'DELETE FROM scores WHERE user_id = $1')
const DELETE_ENTRIES = statement('scores.deleteEntriesOfUser', 'DELETE FROM leaderboard_entries WHERE user_id = $1')

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

    /** The kept scores of the user of this name, else those that accounts submitted under this name. */
    async scoresOf(sql: Sql, name: string, options: { gameMode: string | undefined; limit: number }): Promise<Score[]> {
      const playerKey = playerKeyOf(name)
      const owner = await sql.first(USER_ID, [playerKey])
      return owner ? readScoresOfUser(sql, owner.id, options) : readScoresOfName(sql, playerKey, options)
    },

    /**
     * Deletes the scores of an account that is removed, and shows it to followers. The foreign keys would delete them too, but
     * all in one statement, which is stopped when it takes too long.
     */
    async removeAll(scope: Scope, userId: string): Promise<void> {
      const [boards] = await Promise.all([
        scope.sql.rows(BOARDS_OF_USER, [userId]),
        scope.sql.rows(DELETE_SCORES, [userId]),
        scope.sql.rows(DELETE_ENTRIES, [userId]),
      ])
      scope.afterCommit(() => {
        for (const { gameMode, period } of boards) feed.touch(gameMode, period)
        modes.forget()
      })
    },

    async exportOf(userId: string, sql: Sql) {
      const [scores, bosses] = await Promise.all([allScores(sql, userId), readBosses(sql, userId)])
      return { scores, bosses }
    },
  }
})
