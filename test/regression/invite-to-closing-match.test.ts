import { expect } from 'vitest'
import { statement } from '../../src/db/sql.ts'
import { create } from '../matches/support.ts'
import type { Message } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { newcomers } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'

// An invite to a match that ended at the same time was answered with INTERNAL.

const test = rallyTest({ config: { matches: matchTimes() } })

const END = statement(
  'test.end',
  `UPDATE matches SET status = 'aborted', end_reason = 'left', finished_at = now(), version = version + 1 WHERE id = $1`,
)
const WAITING = statement<{ count: number }>(
  'test.waiting',
  `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
)

test('a match that ends while somebody is invited to it is closed', async ({ rally, database }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const { id: matchId } = await create(ada.client)
  let answer: Promise<Message<unknown>> | undefined
  await database.transaction(async ({ sql }) => {
    await sql.rows(END, [matchId])
    answer = ada.client.request('matches.invite', { matchId, username: ben.player.username })
    await eventually(
      () => database.sql.first(WAITING),
      (row) => row?.count === 1,
    )
  })
  expect(await answer).toMatchObject({ error: 'MATCH_CLOSED' })
})
