import { expect, vi } from 'vitest'
import { newcomers } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'
import { runJob } from '../support/run-job.ts'

// A node that was leaving took the job of the queue and did nothing, so no node did it.

const test = rallyTest({ config: { matches: matchTimes() } })

test('the queue is served by a node that leaves while it has the job', async ({ rally, database: { db } }) => {
  const { draining, bus } = rally.app.platform
  vi.spyOn(draining, 'aborted', 'get').mockReturnValue(true)
  vi.spyOn(bus, 'nodes').mockReturnValue(['other'])
  const players = await newcomers(rally, 2)
  for (const { client } of players) await client.call('matches.enqueue', { game: 'pong' })
  await runJob(rally, 'matches.pair')
  const entries = await db.queueEntry.findMany()
  expect(entries.map(({ status }) => status)).toEqual(['matched', 'matched'])
})
